-- Rounds that a client may ask about, separated by spaces; every round when empty.
ALTER TABLE client ADD COLUMN rounds TEXT NOT NULL DEFAULT '';
