-- A round's folder that one person uploaded and another is to confirm. `files` is emptied once that is settled: a
-- confirmed folder is in `round`. `round`, `title` and `hash` are empty while the folder has errors.
CREATE TABLE round_proposal (
    id          TEXT   NOT NULL PRIMARY KEY,
    round       TEXT   NOT NULL,
    title       TEXT   NOT NULL,
    hash        TEXT   NOT NULL,
    files       TEXT   NOT NULL,
    errors      BIGINT NOT NULL,
    warnings    BIGINT NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('waiting', 'loaded', 'withdrawn')),
    proposed_by TEXT   NOT NULL REFERENCES staff (name),
    proposed_at BIGINT NOT NULL,
    settled_by  TEXT REFERENCES staff (name),
    settled_at  BIGINT,
    CHECK ((state = 'waiting') = (settled_by IS NULL AND settled_at IS NULL)),
    CHECK (state <> 'loaded' OR (errors = 0 AND settled_by <> proposed_by))
) WITHOUT ROWID;
CREATE INDEX round_proposal_by_time ON round_proposal (proposed_at);
