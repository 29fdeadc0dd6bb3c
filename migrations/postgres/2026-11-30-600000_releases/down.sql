DROP TABLE release_proposal;
