-- A release of scores that one person proposed and another is to confirm: the first one, or a correction. `digest` is the
-- SHA-256 of the document as it would read when published at `proposed_at`; the document itself is made again when it is
-- confirmed, and must be the same. Whoever acts is named as in the audit trail.
CREATE TABLE release_proposal (
    id          TEXT   NOT NULL PRIMARY KEY,
    round       TEXT   NOT NULL REFERENCES round (id),
    release     BIGINT NOT NULL CHECK (release > 0),
    reason      TEXT   NOT NULL,
    left_out    TEXT   NOT NULL,
    digest      TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('waiting', 'released', 'withdrawn')),
    proposed_by TEXT   NOT NULL,
    proposed_at BIGINT NOT NULL,
    settled_by  TEXT,
    settled_at  BIGINT,
    CHECK ((state = 'waiting') = (settled_by IS NULL AND settled_at IS NULL)),
    CHECK (state <> 'released' OR settled_by <> proposed_by),
    CHECK ((release = 1) = (reason = ''))
) WITHOUT ROWID;
-- One waits at a time, for each round.
CREATE UNIQUE INDEX release_proposal_waiting ON release_proposal (round) WHERE state = 'waiting';
