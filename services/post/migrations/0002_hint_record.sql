-- Of the record before the hint: a log that does not show it there any more was cut or put back, and is read from its start.
ALTER TABLE channels ADD COLUMN hint_record BLOB;
