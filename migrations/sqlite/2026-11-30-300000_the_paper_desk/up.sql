-- Roles and offices of the desk: auditors; whose post office somebody keys for; when a temporary clerk's day ends.
-- The table is made anew because SQLite cannot change a CHECK; its rows come back before the references are looked at.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE kept_staff (
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    role          TEXT    NOT NULL CHECK (role IN ('administrator', 'supervisor', 'clerk', 'adjudicator', 'observer')),
    password_hash TEXT    NOT NULL,
    disabled      BOOLEAN NOT NULL DEFAULT FALSE,
    created_at    BIGINT  NOT NULL
) WITHOUT ROWID;
INSERT INTO kept_staff SELECT id, name, role, password_hash, disabled, created_at FROM staff;
DROP TABLE staff;
CREATE TABLE staff (
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    role          TEXT    NOT NULL CHECK (role IN ('administrator', 'supervisor', 'clerk', 'adjudicator', 'auditor', 'observer')),
    password_hash TEXT    NOT NULL,
    disabled      BOOLEAN NOT NULL DEFAULT FALSE,
    created_at    BIGINT  NOT NULL,
    office        TEXT    REFERENCES post_office (code),
    ends_at       BIGINT
) WITHOUT ROWID;
INSERT INTO staff (id, name, role, password_hash, disabled, created_at)
    SELECT id, name, role, password_hash, disabled, created_at FROM kept_staff;
DROP TABLE kept_staff;

-- The capture of a paper ballot, with the states between: who is at it now, what it was before it was set aside, who read
-- it a third time as a sample, and the two persons who made it void.
CREATE TABLE new_capture (
    public_key        BLOB NOT NULL PRIMARY KEY REFERENCES credential (public_key),
    round             TEXT NOT NULL REFERENCES round (id),
    state             TEXT NOT NULL CHECK (state IN ('first_in_progress', 'first_done', 'second_in_progress', 'matched', 'mismatched',
                                                     'adjudicating', 'verified', 'cast', 'referred', 'invalid', 'reopened')),
    before            TEXT CHECK (before IN ('awaiting', 'first_done', 'matched', 'mismatched', 'reopened')),
    first_by          TEXT REFERENCES staff (id),
    second_by         TEXT REFERENCES staff (id),
    audited_by        TEXT REFERENCES staff (id),
    settled_by        TEXT REFERENCES staff (id),
    held_by           TEXT REFERENCES staff (id),
    void_by           TEXT REFERENCES staff (id),
    void_confirmed_by TEXT REFERENCES staff (id),
    CHECK (first_by <> second_by),
    CHECK (audited_by <> first_by AND audited_by <> second_by),
    CHECK (settled_by <> first_by AND settled_by <> second_by AND settled_by <> audited_by),
    CHECK (void_by <> void_confirmed_by),
    CHECK ((state IN ('referred', 'invalid')) = (before IS NOT NULL)),
    CHECK ((state = 'invalid') = (void_confirmed_by IS NOT NULL))
) WITHOUT ROWID;
INSERT INTO new_capture (public_key, round, state, first_by, second_by, settled_by)
    SELECT public_key, round, CASE WHEN state IN ('matched', 'adjudicated') THEN 'verified' ELSE state END,
           first_by, second_by, settled_by FROM capture;
DROP TABLE capture;
ALTER TABLE new_capture RENAME TO capture;

-- Sums of a bundle: sampled items that were read a third time, how many of those both clerks had wrong, and seconds of
-- keying net of pauses.
CREATE TABLE bundle_sums (
    bundle         TEXT   NOT NULL PRIMARY KEY REFERENCES bundle (id),
    audited_items  BIGINT NOT NULL DEFAULT 0 CHECK (audited_items >= 0),
    audited_wrong  BIGINT NOT NULL DEFAULT 0 CHECK (audited_wrong >= 0),
    keying_seconds BIGINT NOT NULL DEFAULT 0 CHECK (keying_seconds >= 0)
) WITHOUT ROWID;

-- A paper that cannot be keyed as it is. `sheet` is its number where that can be read, else only the bundle is known.
-- `verdict` is proposed by one person and, where the ballot becomes void, confirmed by another. No answers, no code.
CREATE TABLE paper_referral (
    id           TEXT NOT NULL PRIMARY KEY,
    round        TEXT NOT NULL REFERENCES round (id),
    bundle       TEXT REFERENCES bundle (id),
    sheet        BIGINT CHECK (sheet > 0),
    trouble      TEXT NOT NULL CHECK (trouble IN ('wrong_form', 'code_unreadable', 'unknown_serial', 'other_bundle', 'page_missing',
                                                  'copied', 'duplicate', 'other')),
    remark       TEXT NOT NULL DEFAULT '',
    state        TEXT NOT NULL CHECK (state IN ('waiting', 'proposed', 'returned', 'invalid', 'duplicate', 'set_aside', 'reopened')),
    verdict      TEXT NOT NULL DEFAULT '',
    referred_by  TEXT NOT NULL REFERENCES staff (id),
    proposed_by  TEXT REFERENCES staff (id),
    confirmed_by TEXT REFERENCES staff (id),
    CHECK (proposed_by <> confirmed_by)
) WITHOUT ROWID;
CREATE INDEX paper_referral_by_round ON paper_referral (round, state);

-- Readings, as sums a clerk, a pass and a day; nothing about a ballot. `items` were compared with another person's
-- reading and `wrong` of them were this clerk's slips by the third person's verdict.
CREATE TABLE desk_work (
    round      TEXT   NOT NULL REFERENCES round (id),
    staff      TEXT   NOT NULL REFERENCES staff (id),
    pass       TEXT   NOT NULL CHECK (pass IN ('first', 'second', 'sample')),
    day        TEXT   NOT NULL,
    ballots    BIGINT NOT NULL DEFAULT 0,
    items      BIGINT NOT NULL DEFAULT 0,
    wrong      BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (round, staff, pass, day)
) WITHOUT ROWID;

-- How often two clerks read an item of a questionnaire differently: a sign of bad wording. Sums of a round and a group.
CREATE TABLE desk_item (
    round           TEXT   NOT NULL REFERENCES round (id),
    respondent_code TEXT   NOT NULL,
    item_code       TEXT   NOT NULL,
    compared        BIGINT NOT NULL DEFAULT 0,
    differed        BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (round, respondent_code, item_code)
) WITHOUT ROWID;

-- A temporary clerk who asks to be let in: `id` is the SHA-256 of what their browser holds, `short` the digits that they
-- tell the supervisor. `staff` is set once that has confirmed them.
CREATE TABLE desk_pass (
    id         BLOB   NOT NULL PRIMARY KEY,
    short      TEXT   NOT NULL UNIQUE,
    staff      TEXT   REFERENCES staff (id),
    created_at BIGINT NOT NULL
) WITHOUT ROWID;
