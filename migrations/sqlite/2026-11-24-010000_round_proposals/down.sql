DROP TABLE round_proposal;
