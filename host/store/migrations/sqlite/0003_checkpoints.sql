-- Signed statements of where all audit chains stood.
CREATE TABLE audit_checkpoints (
    number INTEGER NOT NULL PRIMARY KEY,
    body   TEXT    NOT NULL
) STRICT;
