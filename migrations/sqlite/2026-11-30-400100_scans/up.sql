-- Page images of paper ballots, sealed under the ballot's code until it is cast; `id` cannot be computed from the public
-- key. The bundle is there so that what is left goes when it is archived.
CREATE TABLE scan (
    id     BLOB NOT NULL PRIMARY KEY,
    bundle TEXT NOT NULL REFERENCES bundle (id),
    body   BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX scan_by_bundle ON scan (bundle);
