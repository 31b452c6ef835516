-- A message whose turn waits for somebody's word is not due, and its conversation
-- goes on. One that is woken while it is worked on is not parked the next time:
-- whoever parks it may not have seen why it was woken.
ALTER TABLE inbox ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE inbox ADD COLUMN woken INTEGER NOT NULL DEFAULT 0;
DROP INDEX inbox_waiting;
CREATE INDEX inbox_waiting ON inbox (conversation, seq) WHERE state = 'waiting' AND parked = 0;

CREATE TABLE approvals (
    seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    id           TEXT    NOT NULL UNIQUE,
    version      INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    invocation   TEXT    NOT NULL REFERENCES invocations (id) DEFERRABLE INITIALLY DEFERRED,
    conversation TEXT    NOT NULL REFERENCES conversations (id) DEFERRABLE INITIALLY DEFERRED,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    -- When something is to be done about it, while nobody has decided.
    due_at       INTEGER,
    body         TEXT    NOT NULL
) STRICT;
CREATE INDEX approvals_newest ON approvals (created_at, seq);
CREATE INDEX approvals_of_state ON approvals (state, created_at, seq);
CREATE INDEX approvals_of_invocation ON approvals (invocation, seq);
CREATE INDEX approvals_due ON approvals (due_at, seq) WHERE due_at IS NOT NULL;

-- Rates: the theoretical arrival time of the next one (ITU-T I.371).
CREATE TABLE limit_rates (
    limit_name TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    tat        INTEGER NOT NULL,
    PRIMARY KEY (limit_name, scope)
) STRICT;
CREATE INDEX limit_rates_full ON limit_rates (tat);

-- Sums: what was taken and until when it counts.
CREATE TABLE limit_sums (
    seq        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    limit_name TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    amount     INTEGER NOT NULL
) STRICT;
CREATE INDEX limit_sums_of_scope ON limit_sums (limit_name, scope, at);
CREATE INDEX limit_sums_over ON limit_sums (until);

-- The sum of the rows above, so that a taking does not read them all.
CREATE TABLE limit_totals (
    limit_name TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    total      INTEGER NOT NULL,
    PRIMARY KEY (limit_name, scope)
) STRICT;

-- Takings that have been counted, so that each counts once.
CREATE TABLE limit_reservations (
    reservation TEXT    NOT NULL,
    limit_name  TEXT    NOT NULL,
    scope       TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    until       INTEGER NOT NULL,
    PRIMARY KEY (reservation, limit_name, scope)
) STRICT;
CREATE INDEX limit_reservations_over ON limit_reservations (until);

CREATE TABLE operators (
    id         TEXT    NOT NULL PRIMARY KEY,
    roles      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;

-- Of tokens and codes only digests are kept.
CREATE TABLE operator_tokens (
    digest     TEXT    NOT NULL PRIMARY KEY,
    operator   TEXT    NOT NULL REFERENCES operators (id) DEFERRABLE INITIALLY DEFERRED,
    label      TEXT    NOT NULL,
    scope      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX operator_tokens_of_operator ON operator_tokens (operator, created_at, digest);

CREATE TABLE operator_bindings (
    channel    TEXT    NOT NULL,
    account    TEXT    NOT NULL,
    sender     TEXT    NOT NULL,
    operator   TEXT    NOT NULL REFERENCES operators (id) DEFERRABLE INITIALLY DEFERRED,
    chat       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (channel, account, sender)
) STRICT;
CREATE INDEX operator_bindings_of_operator ON operator_bindings (operator, channel, account, sender);

CREATE TABLE binding_codes (
    digest     TEXT    NOT NULL PRIMARY KEY,
    operator   TEXT    NOT NULL REFERENCES operators (id) DEFERRABLE INITIALLY DEFERRED,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX binding_codes_over ON binding_codes (expires_at);
