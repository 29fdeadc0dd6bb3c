DROP TABLE desk_key;
DROP TABLE keying_effort;
DROP TABLE keying_claim;
