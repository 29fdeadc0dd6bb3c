-- A round of the survey. `files` is the folder it was loaded from; `hash` is declared before it opens.
-- Instants are Unix milliseconds (UTC).
CREATE TABLE round (
    id               TEXT   NOT NULL PRIMARY KEY,
    state            TEXT   NOT NULL CHECK (state IN ('loaded', 'open', 'closed', 'opened', 'published')),
    hash             TEXT   NOT NULL,
    files            TEXT   NOT NULL,
    opens_at         BIGINT NOT NULL,
    closes_at        BIGINT NOT NULL,
    keying_closes_at BIGINT NOT NULL,
    box_public       BLOB
) WITHOUT ROWID;

-- How many people each unit has been told to invite (head counts: drawn slips need no names).
CREATE TABLE roster (
    round           TEXT   NOT NULL REFERENCES round (id),
    respondent_code TEXT   NOT NULL,
    source_unit     TEXT   NOT NULL,
    people          BIGINT NOT NULL CHECK (people > 0),
    PRIMARY KEY (round, respondent_code, source_unit)
) WITHOUT ROWID;

-- A one-time code, seen from the server: the public key that the code on paper derives.
-- No time, no sequence, no row id: nothing here may order credentials (design: anonymous and verifiable).
CREATE TABLE credential (
    public_key       BLOB NOT NULL PRIMARY KEY,
    round            TEXT NOT NULL REFERENCES round (id),
    respondent_code  TEXT NOT NULL,
    source_unit      TEXT NOT NULL DEFAULT '',
    targets          TEXT NOT NULL,
    channel          TEXT NOT NULL CHECK (channel IN ('online', 'paper')),
    state            TEXT NOT NULL CHECK (state IN ('issued', 'used', 'revoked')),
    redeem_signature BLOB,
    receipt_box      BLOB,
    CHECK ((state = 'used') = (redeem_signature IS NOT NULL AND receipt_box IS NOT NULL))
) WITHOUT ROWID;
-- Without `state`: using a code must not move an index entry.
CREATE INDEX credential_by_unit ON credential (round, respondent_code, source_unit);

-- Answers not yet cast and keyed entries not yet settled, readable only with the code in hand.
CREATE TABLE draft (
    id    BLOB NOT NULL PRIMARY KEY,
    round TEXT NOT NULL REFERENCES round (id),
    body  BLOB NOT NULL
) WITHOUT ROWID;

-- Cast ballots, sealed to the round's box key; `id` is the receipt. No index but the key: every ballot pays for one.
CREATE TABLE envelope (
    id     BLOB NOT NULL PRIMARY KEY,
    round  TEXT NOT NULL REFERENCES round (id),
    sealed BLOB NOT NULL
) WITHOUT ROWID;

-- Envelopes after the batch move, rewritten in the order of their ids.
CREATE TABLE ballot_box (
    id     BLOB NOT NULL PRIMARY KEY,
    round  TEXT NOT NULL REFERENCES round (id),
    sealed BLOB NOT NULL
) WITHOUT ROWID;

-- Ballots after the box was opened: random ids, no way back to an envelope.
CREATE TABLE ballot (
    id    BLOB NOT NULL PRIMARY KEY,
    round TEXT NOT NULL REFERENCES round (id),
    body  TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX ballot_by_round ON ballot (round);

-- What the opening found, fixed with it.
CREATE TABLE opening (
    round        TEXT   NOT NULL PRIMARY KEY REFERENCES round (id),
    envelopes    BIGINT NOT NULL,
    opened       BIGINT NOT NULL,
    unreadable   BIGINT NOT NULL,
    log_root     TEXT   NOT NULL
) WITHOUT ROWID;

-- Ballots returned, counted as they are cast. The only thing here that knows a day.
CREATE TABLE turnout (
    round           TEXT   NOT NULL REFERENCES round (id),
    day             TEXT   NOT NULL,
    respondent_code TEXT   NOT NULL,
    source_unit     TEXT   NOT NULL,
    targets         TEXT   NOT NULL,
    channel         TEXT   NOT NULL,
    returned        BIGINT NOT NULL,
    PRIMARY KEY (round, respondent_code, source_unit, targets, channel, day)
) WITHOUT ROWID;

CREATE TABLE staff (
    id            TEXT    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL UNIQUE,
    role          TEXT    NOT NULL CHECK (role IN ('administrator', 'supervisor', 'clerk', 'adjudicator', 'observer')),
    password_hash TEXT    NOT NULL,
    disabled      BOOLEAN NOT NULL DEFAULT FALSE,
    created_at    BIGINT  NOT NULL
) WITHOUT ROWID;

-- The paper desk: how far a paper ballot has come and who had it. Its two entries wait in `draft`.
CREATE TABLE capture (
    public_key  BLOB NOT NULL PRIMARY KEY REFERENCES credential (public_key),
    round       TEXT NOT NULL REFERENCES round (id),
    state       TEXT NOT NULL CHECK (state IN ('first_done', 'matched', 'mismatched', 'adjudicated', 'cast')),
    first_by    TEXT NOT NULL REFERENCES staff (id),
    second_by   TEXT REFERENCES staff (id),
    settled_by  TEXT REFERENCES staff (id),
    CHECK (first_by <> second_by),
    CHECK (settled_by IS NULL OR (settled_by <> first_by AND settled_by <> second_by))
) WITHOUT ROWID;

-- Published scores, one row a release; never changed.
CREATE TABLE publication (
    round        TEXT   NOT NULL REFERENCES round (id),
    release      BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    document     TEXT   NOT NULL,
    PRIMARY KEY (round, release)
) WITHOUT ROWID;

-- Server-side sessions of staff; `id` is the SHA-256 of the cookie.
CREATE TABLE session (
    id           BLOB   NOT NULL PRIMARY KEY,
    staff        TEXT   NOT NULL REFERENCES staff (id),
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_by_staff ON session (staff);

-- Machine clients (OAuth client credentials).
CREATE TABLE client (
    id          TEXT    NOT NULL PRIMARY KEY,
    name        TEXT    NOT NULL,
    secret_hash BLOB    NOT NULL,
    scopes      TEXT    NOT NULL,
    revoked     BOOLEAN NOT NULL DEFAULT FALSE,
    created_at  BIGINT  NOT NULL
) WITHOUT ROWID;

-- Ed25519 keys that sign access tokens and score documents.
CREATE TABLE signing_key (
    id         TEXT   NOT NULL PRIMARY KEY,
    secret     BLOB   NOT NULL,
    created_at BIGINT NOT NULL
) WITHOUT ROWID;

-- Who did what to a round, to codes, to staff. Never an answer, a code or a key.
CREATE TABLE audit (
    id      TEXT   NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    actor   TEXT   NOT NULL,
    action  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    detail  TEXT   NOT NULL
) WITHOUT ROWID;
CREATE INDEX audit_by_time ON audit (at);
