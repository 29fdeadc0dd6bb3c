-- A browser of the paper desk that may hold keystrokes of a ballot which the server has not: from the opening of the
-- ballot until its entry is here or given up. A bundle does not close while there is one. `desk` is a number that the
-- browser drew by lot. No time.
CREATE TABLE keying_claim (
    desk       TEXT NOT NULL,
    public_key BYTEA NOT NULL REFERENCES credential (public_key),
    staff      TEXT NOT NULL REFERENCES staff (id),
    PRIMARY KEY (desk, public_key)
);
CREATE INDEX keying_claim_by_ballot ON keying_claim (public_key);

-- What a member of the desk did in a day, added up as entries come in: nothing of a single ballot is kept.
CREATE TABLE keying_effort (
    staff          TEXT   NOT NULL REFERENCES staff (id),
    day            TEXT   NOT NULL,
    entries        BIGINT NOT NULL,
    keystrokes     BIGINT NOT NULL,
    refused        BIGINT NOT NULL,
    active_seconds BIGINT NOT NULL,
    PRIMARY KEY (staff, day)
);

-- A key each for what the desk's browsers keep: whoever takes a tablet away has ciphertext, and the next sign-in of the
-- same person reads it again.
CREATE TABLE desk_key (
    staff  TEXT NOT NULL PRIMARY KEY REFERENCES staff (id),
    secret BYTEA NOT NULL
);
