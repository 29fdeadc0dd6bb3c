DROP TABLE desk_pass;
DROP TABLE desk_item;
DROP TABLE desk_work;
DROP TABLE paper_referral;
DROP TABLE bundle_sums;
CREATE TABLE new_capture (
    public_key  BLOB NOT NULL PRIMARY KEY REFERENCES credential (public_key),
    round       TEXT NOT NULL REFERENCES round (id),
    state       TEXT NOT NULL CHECK (state IN ('first_done', 'matched', 'mismatched', 'adjudicated', 'cast')),
    first_by    TEXT NOT NULL REFERENCES staff (id),
    second_by   TEXT REFERENCES staff (id),
    settled_by  TEXT REFERENCES staff (id),
    CHECK (first_by <> second_by),
    CHECK (settled_by IS NULL OR (settled_by <> first_by AND settled_by <> second_by))
) WITHOUT ROWID;
INSERT INTO new_capture
    SELECT public_key, round,
           CASE WHEN state = 'verified' AND settled_by IS NULL THEN 'matched' WHEN state = 'verified' THEN 'adjudicated'
                WHEN state = 'second_in_progress' THEN 'first_done' WHEN state = 'adjudicating' THEN 'mismatched' ELSE state END,
           first_by, second_by, settled_by
    FROM capture
    WHERE first_by IS NOT NULL AND state NOT IN ('first_in_progress', 'referred', 'invalid', 'reopened');
DROP TABLE capture;
ALTER TABLE new_capture RENAME TO capture;
PRAGMA defer_foreign_keys = ON;
CREATE TABLE kept_staff (
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    role          TEXT    NOT NULL CHECK (role IN ('administrator', 'supervisor', 'clerk', 'adjudicator', 'auditor', 'observer')),
    password_hash TEXT    NOT NULL,
    disabled      BOOLEAN NOT NULL DEFAULT FALSE,
    created_at    BIGINT  NOT NULL
) WITHOUT ROWID;
INSERT INTO kept_staff SELECT id, name, role, password_hash, disabled, created_at FROM staff;
DROP TABLE staff;
CREATE TABLE staff (
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    role          TEXT    NOT NULL CHECK (role IN ('administrator', 'supervisor', 'clerk', 'adjudicator', 'observer')),
    password_hash TEXT    NOT NULL,
    disabled      BOOLEAN NOT NULL DEFAULT FALSE,
    created_at    BIGINT  NOT NULL
) WITHOUT ROWID;
INSERT INTO staff SELECT id, name, CASE role WHEN 'auditor' THEN 'observer' ELSE role END, password_hash, disabled, created_at
    FROM kept_staff;
DROP TABLE kept_staff;
