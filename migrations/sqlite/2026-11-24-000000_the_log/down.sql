ALTER TABLE opening DROP COLUMN salt;
DROP TABLE log_leaf;
DROP TABLE log_tile;
DROP TABLE log;
