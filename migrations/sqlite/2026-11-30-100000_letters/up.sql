-- People of groups whose letters are addressed. All that is known of them is deleted when the round is closed.
CREATE TABLE addressee (
    id              TEXT NOT NULL PRIMARY KEY,
    round           TEXT NOT NULL REFERENCES round (id),
    respondent_code TEXT NOT NULL,
    source_unit     TEXT NOT NULL,
    name            TEXT NOT NULL,
    email           TEXT NOT NULL,
    mailbox         TEXT NOT NULL,
    UNIQUE (round, mailbox)
) WITHOUT ROWID;

-- Which code was last sent to whom; deleted at the close.
CREATE TABLE tie (
    addressee  TEXT NOT NULL PRIMARY KEY REFERENCES addressee (id),
    round      TEXT NOT NULL REFERENCES round (id),
    public_key BLOB NOT NULL UNIQUE REFERENCES credential (public_key)
) WITHOUT ROWID;

-- The outbox: letters to be sent, being sent, and what became of them. Never a code: it is made when the letter is sent.
-- `due`: not before this; of a letter that is being sent, when it counts as cut off. Instants are Unix milliseconds (UTC).
CREATE TABLE letter (
    id        TEXT   NOT NULL PRIMARY KEY,
    round     TEXT   NOT NULL REFERENCES round (id),
    addressee TEXT   NOT NULL REFERENCES addressee (id),
    template  TEXT   NOT NULL CHECK (template IN ('invitation', 'reminder', 'replacement')),
    number    BIGINT NOT NULL CHECK (number > 0),
    state     TEXT   NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'bounced')),
    due       BIGINT NOT NULL,
    tries     BIGINT NOT NULL CHECK (tries >= 0),
    fault     TEXT,
    UNIQUE (addressee, template, number)
) WITHOUT ROWID;
CREATE INDEX letter_by_due ON letter (round, state, due);

-- Sending of a round's letters: whether somebody paused it, and what the mail server last refused. No row: nothing of both.
CREATE TABLE posting (
    round      TEXT   NOT NULL PRIMARY KEY REFERENCES round (id),
    paused_by  TEXT,
    trouble    TEXT,
    trouble_at BIGINT
) WITHOUT ROWID;

-- A list of people that somebody has uploaded and not yet imported; deleted with the import, at the latest at the close.
CREATE TABLE roster_upload (
    id              TEXT   NOT NULL PRIMARY KEY,
    round           TEXT   NOT NULL REFERENCES round (id),
    respondent_code TEXT,
    file            TEXT   NOT NULL,
    mapping         TEXT   NOT NULL,
    body            BLOB   NOT NULL,
    uploaded_by     TEXT   NOT NULL,
    uploaded_at     BIGINT NOT NULL
) WITHOUT ROWID;
