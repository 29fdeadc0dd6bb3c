-- One append-only log a round (RFC 6962 tree, C2SP tlog-tiles). `checkpoint` is the signed head of the first `size`
-- leaves; `secret` signs it and nothing else. `close_root` is the root right after the leaf `close`, once there is one.
CREATE TABLE log (
    round      TEXT   NOT NULL PRIMARY KEY REFERENCES round (id),
    vkey       TEXT   NOT NULL,
    secret     BLOB  NOT NULL,
    size       BIGINT NOT NULL CHECK (size >= 0),
    checkpoint TEXT   NOT NULL,
    close_root TEXT
) WITHOUT ROWID;

-- The log's tiles as they are served: hashes by level, and at level -1 the leaves themselves. Only a level's last tile
-- ever grows. Leaves of a batch stand in the order of their hashes, so that a place says nothing about who came first.
CREATE TABLE log_tile (
    round  TEXT     NOT NULL REFERENCES round (id),
    level  SMALLINT NOT NULL CHECK (level >= -1),
    number BIGINT   NOT NULL CHECK (number >= 0),
    body   BLOB    NOT NULL,
    PRIMARY KEY (round, level, number)
) WITHOUT ROWID;

-- Where an envelope's leaf stands, for whoever brings its receipt.
CREATE TABLE log_leaf (
    id    BLOB   NOT NULL PRIMARY KEY,
    round TEXT   NOT NULL REFERENCES round (id),
    place BIGINT NOT NULL CHECK (place >= 0)
) WITHOUT ROWID;

-- Blinds the log's commitment to the opened ballots; in the auditor's pack only.
ALTER TABLE opening ADD COLUMN salt BLOB;
