DROP TABLE paper;
DROP TABLE bundle;
DROP TABLE post_office;
