-- Of an auditor: the tree of each channel as it grew to its last checkpoint (its full subtrees, one digest after the other), and
-- what each checkpoint vouches for, by the id of its event.
CREATE TABLE trees (
    channel TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    size INTEGER NOT NULL,
    digest BLOB NOT NULL,
    roots BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE checkpoints (event_id BLOB PRIMARY KEY, made_at INTEGER NOT NULL, heads BLOB NOT NULL) WITHOUT ROWID;
