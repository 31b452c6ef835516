-- Whose a personal value is, without the value: keyed hashes of values that customers
-- have said or that stand in their own records. `tag` is that of the first two words of
-- a name or address and of any other value as a whole, `whole` that of all `words`.
CREATE TABLE vault_index (
    tag          TEXT    NOT NULL,
    whole        TEXT    NOT NULL,
    conversation TEXT    NOT NULL REFERENCES conversations (id) DEFERRABLE INITIALLY DEFERRED,
    words        INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    -- The customer, if they were verified.
    customer     TEXT,
    PRIMARY KEY (tag, whole, conversation)
) STRICT, WITHOUT ROWID;
CREATE INDEX vault_index_of_conversation ON vault_index (conversation);
