-- What an operator does from a channel is bounded by the token with which they bound
-- it. Of earlier bindings nobody knows it: they are made again.
DROP TABLE operator_bindings;
DROP TABLE binding_codes;

CREATE TABLE operator_bindings (
    channel    TEXT    NOT NULL,
    account    TEXT    NOT NULL,
    sender     TEXT    NOT NULL,
    operator   TEXT    NOT NULL REFERENCES operators (id) DEFERRABLE INITIALLY DEFERRED,
    roles      TEXT    NOT NULL,
    token      TEXT    NOT NULL,
    chat       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (channel, account, sender)
) STRICT;
CREATE INDEX operator_bindings_of_operator ON operator_bindings (operator, channel, account, sender);
CREATE INDEX operator_bindings_of_token ON operator_bindings (token);

CREATE TABLE binding_codes (
    digest     TEXT    NOT NULL PRIMARY KEY,
    operator   TEXT    NOT NULL REFERENCES operators (id) DEFERRABLE INITIALLY DEFERRED,
    roles      TEXT    NOT NULL,
    token      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX binding_codes_over ON binding_codes (expires_at);
CREATE INDEX binding_codes_of_token ON binding_codes (token);
