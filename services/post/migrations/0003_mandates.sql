-- Of an auditor: the keys of single parts that it was given under mandates, by the name of each (H of the sealed facts of its event); in which record that
-- stands, and up to where this was looked through for word of its end. A row goes when its mandate ends.
CREATE TABLE mandates (name BLOB PRIMARY KEY, channel TEXT NOT NULL, looked INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;
