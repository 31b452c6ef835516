-- How many host calls an invocation made. Rows from before do not know: 0.
ALTER TABLE invocations ADD COLUMN host_calls INTEGER NOT NULL DEFAULT 0;

-- For what a component has used lately.
CREATE INDEX invocations_of_component ON invocations (skill, digest, at);
