-- Events, own and received alike; the topic is the event's type ('' where only its key could tell).
CREATE TABLE stored_events (
    originator_id TEXT NOT NULL,
    originator_version INTEGER NOT NULL,
    topic TEXT NOT NULL,
    state BLOB NOT NULL,
    channel TEXT NOT NULL,
    event_id BLOB NOT NULL,
    body_digest BLOB NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
);
CREATE INDEX stored_events_by_body ON stored_events (body_digest);
CREATE INDEX stored_events_by_topic ON stored_events (topic, originator_id);
CREATE UNIQUE INDEX stored_events_by_event ON stored_events (channel, event_id);
CREATE TABLE tracking (application_name TEXT PRIMARY KEY, notification_id INTEGER NOT NULL) WITHOUT ROWID;

-- Sealed personal parts: the only rows beside names and drafts that are ever deleted.
CREATE TABLE parts (digest BLOB PRIMARY KEY, sealed BLOB NOT NULL);

-- Bodies that wait for a signature, in the order in which they were saved, and since when; lost: their keys are not on the ring.
-- personal_key is what the personal part of a case is sealed under, as its facts say; null where nobody has looked.
CREATE TABLE outgoing (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    event_id BLOB NOT NULL,
    case_id TEXT,
    body BLOB NOT NULL,
    facts BLOB,
    personal_key BLOB,
    lost INTEGER NOT NULL DEFAULT 0,
    saved_at INTEGER NOT NULL,
    UNIQUE (channel, event_id)
);
CREATE INDEX outgoing_by_case ON outgoing (case_id);

-- The letterbook: exact statements and signatures, own and received; insert only. id is the order of signing or receiving;
-- personal is the digest of the sealed part, which stands in parts while it exists.
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    digest BLOB NOT NULL,
    event_id BLOB NOT NULL,
    own INTEGER NOT NULL,
    statement BLOB NOT NULL,
    signature BLOB NOT NULL,
    facts BLOB,
    personal BLOB,
    UNIQUE (channel, sequence, epoch, digest)
);
CREATE UNIQUE INDEX entries_by_digest ON entries (digest);
CREATE INDEX entries_by_event ON entries (channel, event_id);
CREATE INDEX entries_own ON entries (channel, sequence) WHERE own = 1;

-- What is recomputable about a channel: where I am in it, and how far others say they hold it.
CREATE TABLE channels (
    channel TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    digest BLOB NOT NULL,
    certificates BLOB NOT NULL,
    -- Where to look on in the log, and the digest of the record before: a log that shows another there was cut or put back.
    hint INTEGER NOT NULL DEFAULT 0,
    hint_record BLOB,
    -- When the channel was last looked at from its start.
    whole_at INTEGER NOT NULL DEFAULT 0,
    written_at INTEGER NOT NULL DEFAULT 0,
    receipted_sequence INTEGER NOT NULL DEFAULT 0,
    told_sequence INTEGER NOT NULL DEFAULT 0,
    news_since INTEGER,
    asked_at INTEGER,
    shown_sequence INTEGER NOT NULL DEFAULT 0,
    -- An own channel, read back: up to which entry the log has shown every part, how far it was read, and when.
    read_sequence INTEGER NOT NULL DEFAULT 0,
    read_at INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'reading',
    reason TEXT,
    -- The end of the chain that a person has agreed to go on from, where something is to be undone.
    agreeable BLOB,
    agreed BLOB
) WITHOUT ROWID;

-- What counterparts say of registrar.trust, until I have read that far and compared it; ``receipt`` is the entry that says so.
CREATE TABLE trust_claims (
    channel TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    digest BLOB NOT NULL,
    receipt BLOB NOT NULL,
    PRIMARY KEY (sequence, digest, channel)
) WITHOUT ROWID;

-- Whatever was not simply applied: skipped, refused, parked or voided, and why. 'off chain' marks an entry that the reading
-- rule no longer takes, 'voided' an event that is not folded because of that. Where bytes are not what they claim there is also
-- what somebody needs to check it: its kind (the name of an error), the place, what was expected and what was found; the bytes
-- stand in ``record``, or in ``entries`` where ``digest`` is that of an entry.
CREATE TABLE held (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    case_id TEXT,
    event_id BLOB,
    digest BLOB,
    record BLOB,
    resolved_at INTEGER,
    fault TEXT,
    epoch INTEGER,
    sequence INTEGER,
    expected TEXT,
    found TEXT
);
-- With the fault: somebody who first shows an entry badly signed must not hide what is wrong with it when it is signed well.
CREATE UNIQUE INDEX held_once ON held (channel, kind, coalesce(event_id, digest), coalesce(fault, ''));
CREATE INDEX held_by_case ON held (case_id, resolved_at);
-- What each step looks for, however much was skipped and refused in all the years.
CREATE INDEX held_open ON held (kind, channel) WHERE resolved_at IS NULL;

-- The read model for people: state and dates in clear, never a name.
CREATE TABLE cases (
    case_id TEXT PRIMARY KEY,
    counterpart_case TEXT,
    school TEXT,
    state TEXT NOT NULL,
    variant TEXT,
    opened_on TEXT,
    due_on TEXT,
    version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX cases_by_day ON cases (due_on, case_id DESC) WHERE due_on IS NOT NULL;
CREATE UNIQUE INDEX cases_by_counterpart ON cases (counterpart_case) WHERE counterpart_case IS NOT NULL;
CREATE INDEX cases_by_state ON cases (state);
CREATE TABLE deadlines (
    case_id TEXT NOT NULL,
    name TEXT NOT NULL,
    due_on TEXT NOT NULL,
    fired_at INTEGER,
    PRIMARY KEY (case_id, name)
) WITHOUT ROWID;
CREATE INDEX deadlines_due ON deadlines (fired_at, due_on);
CREATE INDEX deadlines_by_day ON deadlines (due_on, case_id, name);

-- Which cases a person has, by HMAC of the personal code: the code itself stands nowhere in clear.
CREATE TABLE people (code BLOB NOT NULL, case_id TEXT NOT NULL, PRIMARY KEY (code, case_id)) WITHOUT ROWID;

-- What is typed before it is an event, sealed; deleted when it is saved or after 30 days.
CREATE TABLE drafts (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, saved_at INTEGER NOT NULL, sealed BLOB NOT NULL);
CREATE INDEX drafts_by_age ON drafts (saved_at);

-- Said of the whole database: 'starting' while a start is not finished, for until then nothing is decided.
CREATE TABLE said (name TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;

-- The key ring: each key wrapped under the ring key of a generation.
CREATE TABLE ring (generation INTEGER PRIMARY KEY);
CREATE TABLE keys (
    key_id BLOB PRIMARY KEY,
    key_use TEXT NOT NULL,
    channel TEXT NOT NULL,
    case_id BLOB,
    year INTEGER,
    made_here INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    wrapped BLOB,
    superseded_at INTEGER,
    erased_at INTEGER,
    changed INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX keys_by_use ON keys (key_use);
-- Numbers that grow with each change, whoever makes it: the ring file is told what is new, and not all there is.
CREATE INDEX keys_by_change ON keys (changed);
CREATE TRIGGER keys_updated AFTER UPDATE OF made_here, generation, wrapped, superseded_at, erased_at ON keys BEGIN
    UPDATE keys SET changed = (SELECT max(changed) + 1 FROM keys) WHERE key_id = NEW.key_id;
END;
CREATE UNIQUE INDEX keys_current_facts ON keys (channel, year) WHERE key_use = 'FACTS' AND made_here = 1 AND superseded_at IS NULL;
CREATE UNIQUE INDEX keys_current_case ON keys (channel, case_id) WHERE key_use = 'CASE' AND made_here = 1 AND erased_at IS NULL;
CREATE TABLE grants (
    key_id BLOB NOT NULL,
    recipient TEXT NOT NULL,
    prekey BLOB NOT NULL,
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (key_id, recipient, prekey)
) WITHOUT ROWID;
CREATE TABLE peers (participant TEXT PRIMARY KEY, suite TEXT NOT NULL, public_key BLOB NOT NULL) WITHOUT ROWID;
