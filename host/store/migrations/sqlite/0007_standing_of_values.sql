-- How well it is known that a value is a customer's: 0 somebody said it who may know
-- anything, 1 a customer said it, 2 it stands in a record of theirs. Whoever is known by
-- a key, verified or not, is one owner in all conversations.
ALTER TABLE vault_index ADD COLUMN standing INTEGER NOT NULL DEFAULT 1;
ALTER TABLE vault_index ADD COLUMN owner TEXT;
UPDATE vault_index SET standing = 0 WHERE words > 0;
