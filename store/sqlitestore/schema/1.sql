-- Times are milliseconds since 1970 in UTC; a revoked_at of 0 and a mark of ''
-- mean: not revoked, not marked. Ids are TEXT, compared byte by byte; they
-- come and go as bound values, so that any bytes survive, NUL included.
-- keep_until is when the sweeper may delete a row.

CREATE TABLE sessions (
	id               TEXT    NOT NULL PRIMARY KEY,
	tenant_id        TEXT    NOT NULL,
	user_id          TEXT    NOT NULL,
	device_id        TEXT    NOT NULL,
	app_id           TEXT    NOT NULL,
	kind             TEXT    NOT NULL,
	authenticated_at INTEGER NOT NULL,
	expires_at       INTEGER NOT NULL,
	revoked_at       INTEGER NOT NULL DEFAULT 0,
	mark             TEXT    NOT NULL DEFAULT '',
	keep_until       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_unrevoked ON sessions (tenant_id, user_id, expires_at) WHERE revoked_at = 0;
CREATE INDEX sessions_marked ON sessions (mark, expires_at, keep_until) WHERE mark <> '';
CREATE INDEX sessions_kept ON sessions (keep_until);

CREATE TABLE refresh_tokens (
	id               TEXT    NOT NULL PRIMARY KEY,
	tenant_id        TEXT    NOT NULL,
	user_id          TEXT    NOT NULL,
	session_id       TEXT    NOT NULL,
	device_id        TEXT    NOT NULL,
	app_id           TEXT    NOT NULL,
	authenticated_at INTEGER NOT NULL,
	expires_at       INTEGER NOT NULL,
	revoked_at       INTEGER NOT NULL DEFAULT 0,
	mark             TEXT    NOT NULL DEFAULT '',
	keep_until       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX refresh_tokens_unrevoked ON refresh_tokens (tenant_id, user_id, expires_at) WHERE revoked_at = 0;
CREATE INDEX refresh_tokens_bound ON refresh_tokens (session_id, expires_at) WHERE session_id <> '' AND revoked_at = 0;
CREATE INDEX refresh_tokens_marked ON refresh_tokens (mark, expires_at, keep_until) WHERE mark <> '';
CREATE INDEX refresh_tokens_kept ON refresh_tokens (keep_until);

CREATE TABLE push_registrations (
	id            TEXT    NOT NULL PRIMARY KEY,
	tenant_id     TEXT    NOT NULL,
	user_id       TEXT    NOT NULL,
	device_id     TEXT    NOT NULL,
	app_id        TEXT    NOT NULL,
	provider      TEXT    NOT NULL,
	push_token    TEXT    NOT NULL,
	session_id    TEXT    NOT NULL,
	registered_at INTEGER NOT NULL,
	mark          TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX push_registrations_unmarked ON push_registrations (tenant_id, user_id, device_id) WHERE mark = '';
CREATE INDEX push_registrations_bound ON push_registrations (session_id) WHERE session_id <> '' AND mark = '';
CREATE INDEX push_registrations_marked ON push_registrations (mark) WHERE mark <> '';

-- The cutoffs of users (device_id is '') and of users' devices.
CREATE TABLE cutoffs (
	tenant_id  TEXT    NOT NULL,
	user_id    TEXT    NOT NULL,
	device_id  TEXT    NOT NULL,
	cutoff     INTEGER NOT NULL,
	keep_until INTEGER NOT NULL,
	PRIMARY KEY (tenant_id, user_id, device_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX cutoffs_kept ON cutoffs (keep_until);

-- The cutoffs of the push registrations of a user's device and app; an app_id
-- of '' covers all apps of the device.
CREATE TABLE push_cutoffs (
	tenant_id  TEXT    NOT NULL,
	user_id    TEXT    NOT NULL,
	device_id  TEXT    NOT NULL,
	app_id     TEXT    NOT NULL,
	cutoff     INTEGER NOT NULL,
	keep_until INTEGER NOT NULL,
	PRIMARY KEY (tenant_id, user_id, device_id, app_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX push_cutoffs_kept ON push_cutoffs (keep_until);

-- The requests that are finished.
CREATE TABLE done (
	request_id TEXT    NOT NULL PRIMARY KEY,
	keep_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX done_kept ON done (keep_until);

-- One row that every transaction of the revoker changes: one that changed
-- nothing would not be synced, nor the fences before it.
CREATE TABLE revoker (transactions INTEGER NOT NULL) STRICT;
INSERT INTO revoker VALUES (0);
