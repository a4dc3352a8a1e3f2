-- A block takes two slots, each with one row and one header for ever. Hashes are blake2b-256.

CREATE TABLE IF NOT EXISTS slash_network (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    name TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS slash_miner (
    miner INTEGER PRIMARY KEY,
    -- At or below it nothing new is signed.
    floor INTEGER,
    -- Rows in slash_block.
    kept INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS slash_block (
    miner INTEGER NOT NULL,
    height INTEGER NOT NULL,
    parents BLOB NOT NULL,
    header BLOB NOT NULL,
    PRIMARY KEY (miner, height)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS slash_parents (
    miner INTEGER NOT NULL,
    parents BLOB NOT NULL,
    height INTEGER NOT NULL,
    header BLOB NOT NULL,
    PRIMARY KEY (miner, parents)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS slash_parents_height ON slash_parents (miner, height);

CREATE TABLE IF NOT EXISTS slash_voter (
    signer TEXT NOT NULL,
    network TEXT NOT NULL,
    floor INTEGER,
    kept INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (signer, network)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS slash_vote (
    signer TEXT NOT NULL,
    network TEXT NOT NULL,
    instance INTEGER NOT NULL,
    round INTEGER NOT NULL,
    phase INTEGER NOT NULL,
    payload BLOB NOT NULL,
    PRIMARY KEY (signer, network, instance, round, phase)
) WITHOUT ROWID;
