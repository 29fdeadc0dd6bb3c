DROP TABLE desk_pass;
DROP TABLE desk_item;
DROP TABLE desk_work;
DROP TABLE paper_referral;
DROP TABLE bundle_sums;
CREATE TABLE new_capture (
    public_key  BYTEA NOT NULL PRIMARY KEY REFERENCES credential (public_key),
    round       TEXT NOT NULL REFERENCES round (id),
    state       TEXT NOT NULL CHECK (state IN ('first_done', 'matched', 'mismatched', 'adjudicated', 'cast')),
    first_by    TEXT NOT NULL REFERENCES staff (id),
    second_by   TEXT REFERENCES staff (id),
    settled_by  TEXT REFERENCES staff (id),
    CHECK (first_by <> second_by),
    CHECK (settled_by IS NULL OR (settled_by <> first_by AND settled_by <> second_by))
);
INSERT INTO new_capture
    SELECT public_key, round,
           CASE WHEN state = 'verified' AND settled_by IS NULL THEN 'matched' WHEN state = 'verified' THEN 'adjudicated'
                WHEN state = 'second_in_progress' THEN 'first_done' WHEN state = 'adjudicating' THEN 'mismatched' ELSE state END,
           first_by, second_by, settled_by
    FROM capture
    WHERE first_by IS NOT NULL AND state NOT IN ('first_in_progress', 'referred', 'invalid', 'reopened');
DROP TABLE capture;
ALTER TABLE new_capture RENAME TO capture;
ALTER TABLE staff DROP COLUMN ends_at;
ALTER TABLE staff DROP COLUMN office;
UPDATE staff SET role = 'observer' WHERE role = 'auditor';
ALTER TABLE staff DROP CONSTRAINT staff_role_check;
ALTER TABLE staff ADD CONSTRAINT staff_role_check CHECK (role IN ('administrator', 'supervisor', 'clerk', 'adjudicator', 'observer'));
