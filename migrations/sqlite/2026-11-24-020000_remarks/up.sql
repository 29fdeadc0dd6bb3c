-- Free text, taken out of its ballot when the box was opened. `id` is random, and rows are stored in the order of their
-- ids over the whole box: nothing leads from here to a ballot, nor from one remark of a person to another.
CREATE TABLE remark (
    id              BLOB  NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    round           TEXT  NOT NULL REFERENCES round (id),
    respondent_code TEXT  NOT NULL,
    target          TEXT  NOT NULL,
    item_code       TEXT  NOT NULL,
    body            TEXT  NOT NULL
) WITHOUT ROWID;
