-- Times are milliseconds since 1970-01-01T00:00:00Z. Columns that hold JSON of
-- our own types hold a versioned form of them ({"v":"1","body":…}).
--
-- References are deferred: what is committed together may be written in any
-- order.

CREATE TABLE conversations (
    id             TEXT    NOT NULL PRIMARY KEY,
    channel        TEXT    NOT NULL,
    account        TEXT    NOT NULL,
    chat           TEXT    NOT NULL,
    sender         TEXT    NOT NULL,
    private        INTEGER NOT NULL,
    nonce          TEXT    NOT NULL,
    language       TEXT    NOT NULL,
    customer       TEXT,
    identity       TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    ticket         TEXT    REFERENCES tickets (id) DEFERRABLE INITIALLY DEFERRED,
    created_at     INTEGER NOT NULL,
    active_at      INTEGER NOT NULL,
    -- Who works on it, until when. The fence grows with each lease.
    lease_owner    TEXT,
    lease_until    INTEGER NOT NULL DEFAULT 0,
    fence          INTEGER NOT NULL DEFAULT 0,
    -- The oldest message that waits to be processed, and when it may be. A lease
    -- looks at one row for each waiting conversation, however long its queue is.
    inbox_seq      INTEGER,
    inbox_due_at   INTEGER,
    -- The oldest message that waits to be sent, and when it may be; no time
    -- while another one of the conversation is being sent.
    outbox_seq     INTEGER,
    outbox_due_at  INTEGER
) STRICT;
CREATE INDEX conversations_active ON conversations (active_at, id);
CREATE INDEX conversations_leased ON conversations (id) WHERE lease_owner IS NOT NULL;
CREATE INDEX conversations_inbox ON conversations (inbox_due_at, inbox_seq) WHERE inbox_due_at IS NOT NULL;
CREATE INDEX conversations_outbox ON conversations (outbox_due_at, outbox_seq) WHERE outbox_due_at IS NOT NULL;

-- The id is a digest of channel, account and the channel's name of the delivery,
-- so that its being unique is what makes a delivery count once.
CREATE TABLE inbox (
    seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    conversation TEXT    NOT NULL REFERENCES conversations (id) DEFERRABLE INITIALLY DEFERRED,
    state        TEXT    NOT NULL CHECK (state IN ('waiting', 'done', 'dead')),
    attempts     INTEGER NOT NULL,
    due_at       INTEGER NOT NULL,
    last_error   TEXT,
    content      TEXT,
    CHECK (content IS NOT NULL OR state = 'done')
) STRICT;
CREATE INDEX inbox_waiting ON inbox (conversation, seq) WHERE state = 'waiting';

CREATE TABLE messages (
    seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    conversation TEXT    NOT NULL REFERENCES conversations (id) DEFERRABLE INITIALLY DEFERRED,
    author       TEXT    NOT NULL,
    text         TEXT    NOT NULL,
    at           INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_of_conversation ON messages (conversation, seq);

CREATE TABLE vault (
    seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    conversation TEXT    NOT NULL REFERENCES conversations (id) DEFERRABLE INITIALLY DEFERRED,
    placeholder  TEXT    NOT NULL,
    kind         TEXT    NOT NULL,
    value        TEXT    NOT NULL,
    UNIQUE (conversation, placeholder)
) STRICT;

CREATE TABLE turns (
    seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    conversation TEXT    NOT NULL REFERENCES conversations (id) DEFERRABLE INITIALLY DEFERRED,
    message      TEXT    NOT NULL UNIQUE,
    plan         TEXT    NOT NULL,
    generation   TEXT    NOT NULL,
    summary      TEXT,
    started_at   INTEGER NOT NULL,
    completed_at INTEGER
) STRICT;
CREATE INDEX turns_of_conversation ON turns (conversation, seq);

CREATE TABLE invocations (
    id           TEXT    NOT NULL PRIMARY KEY,
    turn         TEXT    NOT NULL REFERENCES turns (id) DEFERRABLE INITIALLY DEFERRED,
    step         INTEGER NOT NULL,
    skill        TEXT    NOT NULL,
    version      TEXT    NOT NULL,
    digest       TEXT    NOT NULL,
    tool         TEXT    NOT NULL,
    arguments    TEXT    NOT NULL,
    result       TEXT,
    at           INTEGER NOT NULL,
    took_us      INTEGER NOT NULL,
    cpu_us       INTEGER NOT NULL,
    memory_bytes INTEGER NOT NULL,
    UNIQUE (turn, step)
) STRICT;

CREATE TABLE journal (
    invocation TEXT    NOT NULL REFERENCES invocations (id) DEFERRABLE INITIALLY DEFERRED,
    seq        INTEGER NOT NULL,
    record     TEXT    NOT NULL,
    PRIMARY KEY (invocation, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    seq                INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id                 TEXT    NOT NULL UNIQUE,
    conversation       TEXT    NOT NULL REFERENCES conversations (id) DEFERRABLE INITIALLY DEFERRED,
    channel            TEXT    NOT NULL,
    account            TEXT    NOT NULL,
    chat               TEXT    NOT NULL,
    text               TEXT    NOT NULL,
    state              TEXT    NOT NULL CHECK (state IN ('pending', 'sending', 'sent', 'uncertain', 'dead')),
    attempts           INTEGER NOT NULL,
    next_at            INTEGER NOT NULL,
    possible_duplicate INTEGER NOT NULL,
    last_error         TEXT,
    created_at         INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_of_conversation ON outbox (conversation, seq);
CREATE INDEX outbox_pending ON outbox (conversation, seq) WHERE state = 'pending';
CREATE INDEX outbox_sending ON outbox (conversation) WHERE state = 'sending';
CREATE INDEX outbox_undelivered ON outbox (seq) WHERE state IN ('dead', 'uncertain');

CREATE TABLE tickets (
    id           TEXT    NOT NULL PRIMARY KEY,
    conversation TEXT    NOT NULL REFERENCES conversations (id) DEFERRABLE INITIALLY DEFERRED,
    customer     TEXT,
    subject      TEXT    NOT NULL,
    status       TEXT    NOT NULL,
    priority     TEXT    NOT NULL,
    queue        TEXT,
    reason       TEXT,
    tags         TEXT    NOT NULL,
    follows      TEXT,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX tickets_newest ON tickets (created_at, id);
CREATE INDEX tickets_of_conversation ON tickets (conversation, created_at, id);
CREATE INDEX tickets_of_customer ON tickets (customer, created_at, id) WHERE customer IS NOT NULL;

CREATE TABLE ticket_events (
    seq    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    ticket TEXT    NOT NULL REFERENCES tickets (id) DEFERRABLE INITIALLY DEFERRED,
    at     INTEGER NOT NULL,
    actor  TEXT    NOT NULL,
    kind   TEXT    NOT NULL
) STRICT;
CREATE INDEX ticket_events_of_ticket ON ticket_events (ticket, seq);

CREATE TABLE records (
    collection TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    body       TEXT    NOT NULL,
    PRIMARY KEY (collection, key)
) STRICT;

-- What a record is found by.
CREATE TABLE record_index (
    collection TEXT NOT NULL,
    key        TEXT NOT NULL,
    field      TEXT NOT NULL,
    value      TEXT NOT NULL,
    PRIMARY KEY (collection, key, field, value),
    FOREIGN KEY (collection, key) REFERENCES records (collection, key) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX record_index_values ON record_index (collection, field, value, key);

CREATE TABLE kv (
    skill      TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    value      BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (skill, scope, key)
) STRICT;
CREATE INDEX kv_expiry ON kv (expires_at);

CREATE TABLE audit (
    seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    chain        TEXT    NOT NULL,
    number       INTEGER NOT NULL,
    previous     TEXT    NOT NULL,
    hash         TEXT    NOT NULL,
    conversation TEXT,
    entry        TEXT    NOT NULL,
    UNIQUE (chain, number)
) STRICT;
CREATE INDEX audit_of_conversation ON audit (conversation, seq) WHERE conversation IS NOT NULL;

-- The last row of each chain, kept apart so that cutting a chain's end off shows.
CREATE TABLE audit_heads (
    chain  TEXT    NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    hash   TEXT    NOT NULL
) STRICT;
