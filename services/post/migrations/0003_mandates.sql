-- Of an auditor: the keys of single parts that it was given under mandates, by the body of the mandate's event; in which record that
-- stands, and up to where this was looked through for word of its end. A row goes when its mandate ends.
CREATE TABLE mandates (body BLOB PRIMARY KEY, channel TEXT NOT NULL, looked INTEGER NOT NULL, sealed BLOB NOT NULL) WITHOUT ROWID;
