-- What people tried in a case and a rule stopped: the act, the rule by its name, and who tried. Never what they had written.
CREATE TABLE refused_acts (
    id INTEGER PRIMARY KEY,
    case_id TEXT NOT NULL,
    act TEXT NOT NULL,
    rule TEXT NOT NULL,
    entered_by TEXT,
    at INTEGER NOT NULL
);
CREATE INDEX refused_acts_of ON refused_acts (case_id, id);
