-- Where paper is keyed (bưu điện). Staff and bundles belong to one, or to none where a round has a single desk.
CREATE TABLE post_office (
    code TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) WITHOUT ROWID;

-- Paper ballots that go together: one group's, counted and signed for as one. The stages of keying between `balanced` and
-- `audited` follow from the ballots and are not kept here. `counted` came back; `note` is a supervisor's on numbers that
-- do not add up; `waiver` is why no sample was read.
CREATE TABLE bundle (
    id              TEXT   NOT NULL PRIMARY KEY,
    round           TEXT   NOT NULL REFERENCES round (id),
    respondent_code TEXT   NOT NULL,
    number          BIGINT NOT NULL CHECK (number > 0),
    size            BIGINT NOT NULL CHECK (size > 0),
    office          TEXT   REFERENCES post_office (code),
    state           TEXT   NOT NULL CHECK (state IN ('planned', 'handed_over', 'received', 'balanced', 'discrepancy', 'locked')),
    holder          TEXT   NOT NULL DEFAULT '',
    counted         BIGINT CHECK (counted >= 0),
    note            TEXT,
    noted_by        TEXT   REFERENCES staff (id),
    waiver          TEXT,
    signed_first    TEXT   REFERENCES staff (id),
    signed_second   TEXT   REFERENCES staff (id),
    UNIQUE (round, respondent_code, number),
    CHECK ((note IS NULL) = (noted_by IS NULL)),
    CHECK (signed_second IS NULL OR signed_first <> signed_second),
    CHECK (state <> 'locked' OR signed_second IS NOT NULL)
) WITHOUT ROWID;

-- A paper ballot as a thing: its bundle, its number there, where it is. Numbers are drawn by lot within a bundle, so that
-- they say nothing about which code was made first. A replacement has the number of the sheet that it replaces. `sampled`
-- ballots are read a third time before they are cast.
CREATE TABLE paper (
    public_key BLOB NOT NULL PRIMARY KEY REFERENCES credential (public_key),
    round      TEXT   NOT NULL REFERENCES round (id),
    bundle     TEXT   NOT NULL REFERENCES bundle (id),
    sheet      BIGINT NOT NULL CHECK (sheet > 0),
    custody    TEXT   NOT NULL CHECK (custody IN ('printed', 'issued', 'delivered', 'received', 'bundled', 'archived',
                                                  'spoiled', 'undeliverable', 'lost', 'not_returned')),
    sampled    BOOLEAN NOT NULL DEFAULT FALSE
) WITHOUT ROWID;
CREATE INDEX paper_by_bundle ON paper (bundle);
