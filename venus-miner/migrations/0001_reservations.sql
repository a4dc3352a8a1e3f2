-- One row an epoch that was tried; the newest tells whether a round was cut off in the middle.
CREATE TABLE IF NOT EXISTS venus_miner_rounds (
    epoch  INTEGER PRIMARY KEY,
    base   BLOB    NOT NULL,
    done   INTEGER NOT NULL DEFAULT 0,
    won    INTEGER NOT NULL DEFAULT 0,
    mined  INTEGER NOT NULL DEFAULT 0
);

-- One row a block that was ever going to be signed. Rows are never deleted: each forbids another block for ever.
-- `parents` and `base_parents` are hashes of sets, because the chain compares parents as sets.
CREATE TABLE IF NOT EXISTS venus_miner_reservations (
    miner          INTEGER NOT NULL,
    height         INTEGER NOT NULL,
    parents        BLOB    NOT NULL,
    base_height    INTEGER NOT NULL,
    base_parents   BLOB    NOT NULL,
    worker         BLOB    NOT NULL,
    unsigned_cid   TEXT    NOT NULL,
    unsigned_block BLOB    NOT NULL,
    signed_cid     TEXT,
    signed_block   BLOB,
    state          TEXT    NOT NULL
                   CHECK (state IN ('reserved', 'signed', 'submitted', 'refused', 'abandoned')),
    reason         TEXT,
    PRIMARY KEY (miner, height),
    UNIQUE (miner, parents)
);

CREATE INDEX IF NOT EXISTS venus_miner_reservations_base ON venus_miner_reservations (miner, base_height);
