-- The tables of sophon-auth, as its store makes them on MySQL, in SQLite's words. Addresses stand without their network
-- letter; relations are by the user's name.

CREATE TABLE IF NOT EXISTS token (
    name VARCHAR(50) NOT NULL,
    perm VARCHAR(50) NOT NULL,
    secret VARCHAR(255) NOT NULL,
    extra VARCHAR(255),
    token VARCHAR(512) NOT NULL,
    createTime DATETIME NOT NULL,
    is_deleted INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS token_token_IDX ON token (token);
CREATE INDEX IF NOT EXISTS idx_token_is_deleted ON token (is_deleted);

CREATE TABLE IF NOT EXISTS users (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    name VARCHAR(50) NOT NULL,
    comment VARCHAR(255),
    state INTEGER NOT NULL DEFAULT 0,
    createTime DATETIME NOT NULL,
    updateTime DATETIME NOT NULL,
    is_deleted INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS users_name_IDX ON users (name);
CREATE INDEX IF NOT EXISTS idx_users_is_deleted ON users (is_deleted);

CREATE TABLE IF NOT EXISTS miners (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    miner VARCHAR(128) NOT NULL,
    user VARCHAR(50) NOT NULL,
    open_mining BOOLEAN DEFAULT 1,
    created_at DATETIME,
    updated_at DATETIME,
    deleted_at DATETIME
);
CREATE UNIQUE INDEX IF NOT EXISTS miner_idx ON miners (miner);
CREATE INDEX IF NOT EXISTS idx_miners_deleted_at ON miners (deleted_at);
CREATE INDEX IF NOT EXISTS venus_miners_user ON miners (user);

CREATE TABLE IF NOT EXISTS signers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user VARCHAR(50) NOT NULL,
    signer VARCHAR(128) NOT NULL,
    created_at DATETIME,
    updated_at DATETIME,
    deleted_at DATETIME
);
CREATE UNIQUE INDEX IF NOT EXISTS user_signer_idx ON signers (user, signer);
CREATE INDEX IF NOT EXISTS idx_signers_deleted_at ON signers (deleted_at);
CREATE INDEX IF NOT EXISTS venus_signers_signer ON signers (signer);

CREATE TABLE IF NOT EXISTS user_rate_limits (
    id VARCHAR(64) NOT NULL PRIMARY KEY,
    name VARCHAR(50) NOT NULL,
    service VARCHAR(50),
    api VARCHAR(50),
    reqLimit VARCHAR(256)
);
CREATE INDEX IF NOT EXISTS user_service_api_IDX ON user_rate_limits (name, service, api);

CREATE TABLE IF NOT EXISTS store_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version BIGINT
);

-- What those tables have no place for.

-- Keyed by the column of the other table, whether that is a hash or a token.
CREATE TABLE IF NOT EXISTS venus_token (
    token VARCHAR(512) NOT NULL PRIMARY KEY,
    id CHAR(36) NOT NULL,
    fingerprint CHAR(64) NOT NULL,
    -- Orders tokens of one instant.
    seq BIGINT NOT NULL,
    created VARCHAR(40) NOT NULL,
    expires VARCHAR(40),
    -- JSON lists of text.
    audience TEXT,
    scopes TEXT
);
CREATE INDEX IF NOT EXISTS venus_token_id ON venus_token (id);
CREATE INDEX IF NOT EXISTS venus_token_fingerprint ON venus_token (fingerprint);
CREATE INDEX IF NOT EXISTS venus_token_seq ON venus_token (seq);

CREATE TABLE IF NOT EXISTS venus_signer (
    signer VARCHAR(128) NOT NULL,
    user VARCHAR(50) NOT NULL,
    provenance VARCHAR(16) NOT NULL,
    PRIMARY KEY (signer, user)
);

CREATE TABLE IF NOT EXISTS venus_grant (
    signer VARCHAR(128) NOT NULL,
    user VARCHAR(50) NOT NULL,
    granted VARCHAR(40) NOT NULL,
    PRIMARY KEY (signer, user)
);

-- What went with a deleted user, and comes back with it: kind is `miner` or `signer`.
CREATE TABLE IF NOT EXISTS venus_gone (
    user VARCHAR(50) NOT NULL,
    kind VARCHAR(8) NOT NULL,
    name VARCHAR(128) NOT NULL,
    PRIMARY KEY (user, kind, name)
);

CREATE TABLE IF NOT EXISTS venus_ban (
    subject VARCHAR(160) NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    banned VARCHAR(40) NOT NULL
);

CREATE TABLE IF NOT EXISTS venus_audit (
    id CHAR(36) NOT NULL PRIMARY KEY,
    at VARCHAR(40) NOT NULL,
    actor VARCHAR(255) NOT NULL,
    remote VARCHAR(45),
    action VARCHAR(64) NOT NULL,
    subject VARCHAR(255) NOT NULL,
    was TEXT NOT NULL,
    became TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS venus_audit_actor ON venus_audit (actor, id);
CREATE INDEX IF NOT EXISTS venus_audit_subject ON venus_audit (subject, id);
