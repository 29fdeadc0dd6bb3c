-- What a member of the desk did in a day for a round: a day on which two rounds are keyed is two days of work. Sums of
-- before go to the round that was keyed that day; where there were two, to the first of them.
CREATE TABLE keying_effort_by_round (
    round          TEXT   NOT NULL REFERENCES round (id),
    staff          TEXT   NOT NULL REFERENCES staff (id),
    day            TEXT   NOT NULL,
    entries        BIGINT NOT NULL,
    keystrokes     BIGINT NOT NULL,
    refused        BIGINT NOT NULL,
    active_seconds BIGINT NOT NULL,
    PRIMARY KEY (round, staff, day)
) WITHOUT ROWID;
INSERT INTO keying_effort_by_round (round, staff, day, entries, keystrokes, refused, active_seconds)
    SELECT w.round, e.staff, e.day, e.entries, e.keystrokes, e.refused, e.active_seconds
    FROM keying_effort e
    JOIN (SELECT min(round) AS round, staff, day FROM desk_work GROUP BY staff, day) w
        ON w.staff = e.staff AND w.day = e.day;
DROP TABLE keying_effort;
ALTER TABLE keying_effort_by_round RENAME TO keying_effort;
