-- Amounts are decimal attoFIL text. Chain objects are their canonical CBOR, CIDs and addresses their text
-- (addresses with the prefix `f` whatever the network), so that no type of one database is needed.

CREATE TABLE IF NOT EXISTS message (
    -- Order of acceptance.
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id VARCHAR(128) NOT NULL,
    state VARCHAR(16) NOT NULL,
    -- Key address that signs; the request may name the actor by its ID.
    sender VARCHAR(128) NOT NULL,
    -- The message as asked for, nonce 0.
    request BLOB NOT NULL,
    max_fee VARCHAR(128) NOT NULL,
    over_estimation DOUBLE NOT NULL,
    over_premium DOUBLE NOT NULL,
    expires_at BIGINT NOT NULL,
    nonce BIGINT,
    -- Where the nonce was used: by this message (landed) or by another one (conflicted).
    used_cid VARCHAR(128),
    -- CID of the tipset key, for equality; the key itself follows.
    used_key VARCHAR(128),
    used_tipset BLOB,
    used_height BIGINT,
    receipt BLOB,
    error TEXT,
    CONSTRAINT message_id UNIQUE (id),
    -- No nonce for two messages, whatever the program does.
    CONSTRAINT message_nonce UNIQUE (sender, nonce)
);
CREATE INDEX message_unfilled ON message (state, sender, seq);
CREATE INDEX message_filled ON message (state, sender, nonce);
CREATE INDEX message_used ON message (used_key);

CREATE TABLE IF NOT EXISTS attempt (
    seq BIGINT NOT NULL REFERENCES message (seq),
    number BIGINT NOT NULL,
    cid VARCHAR(128) NOT NULL,
    signed BLOB NOT NULL,
    PRIMARY KEY (seq, number),
    CONSTRAINT attempt_cid UNIQUE (cid)
);

CREATE TABLE IF NOT EXISTS sender (
    address VARCHAR(128) NOT NULL PRIMARY KEY,
    next_nonce BIGINT NOT NULL
);

-- The tipset up to which the chain was followed: one row.
CREATE TABLE IF NOT EXISTS head (
    id BIGINT NOT NULL PRIMARY KEY,
    tipset BLOB NOT NULL,
    tipset_key VARCHAR(128) NOT NULL,
    height BIGINT NOT NULL
);
