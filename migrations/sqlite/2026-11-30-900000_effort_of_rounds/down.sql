CREATE TABLE keying_effort_by_day (
    staff          TEXT   NOT NULL REFERENCES staff (id),
    day            TEXT   NOT NULL,
    entries        BIGINT NOT NULL,
    keystrokes     BIGINT NOT NULL,
    refused        BIGINT NOT NULL,
    active_seconds BIGINT NOT NULL,
    PRIMARY KEY (staff, day)
) WITHOUT ROWID;
INSERT INTO keying_effort_by_day (staff, day, entries, keystrokes, refused, active_seconds)
    SELECT staff, day, CAST(sum(entries) AS BIGINT), CAST(sum(keystrokes) AS BIGINT), CAST(sum(refused) AS BIGINT),
        CAST(sum(active_seconds) AS BIGINT)
    FROM keying_effort GROUP BY staff, day;
DROP TABLE keying_effort;
ALTER TABLE keying_effort_by_day RENAME TO keying_effort;
