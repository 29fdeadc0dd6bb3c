DROP TABLE roster_upload;
DROP TABLE posting;
DROP TABLE letter;
DROP TABLE tie;
DROP TABLE addressee;
