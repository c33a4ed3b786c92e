-- token_id tells which registrations have the same push token: a hash of
-- provider and token. Registrations from before have none, until they are made
-- again.
ALTER TABLE push_registrations ADD COLUMN token_id TEXT NOT NULL DEFAULT '';
CREATE INDEX push_registrations_by_token ON push_registrations (token_id) WHERE token_id <> '';
