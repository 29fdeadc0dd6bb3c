-- Who holds the box key, as JSON: names, whether it was rehearsed, how far its burning is. No secrets.
ALTER TABLE round ADD COLUMN custody TEXT;
