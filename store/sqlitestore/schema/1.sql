-- Times are milliseconds since 1970 in UTC; a revoked_at of 0 and a mark of ''
-- mean: not revoked, not marked. Ids are TEXT, compared byte by byte; they
-- come and go as bound values, so that any bytes survive, NUL included.
-- keep_until is when the sweeper may delete a row.
--
-- What one logout changes lies together, in as few pages as possible, and no
-- index holds a column that a logout changes: both decide what it costs.

-- Sessions (token_id is '') and refresh tokens, each behind the session that
-- it is bound to (session_id is '' where there is none).
CREATE TABLE credentials (
	tenant_id        TEXT    NOT NULL,
	user_id          TEXT    NOT NULL,
	session_id       TEXT    NOT NULL,
	token_id         TEXT    NOT NULL,
	device_id        TEXT    NOT NULL,
	app_id           TEXT    NOT NULL,
	kind             TEXT    NOT NULL, -- '' of a refresh token
	authenticated_at INTEGER NOT NULL,
	expires_at       INTEGER NOT NULL,
	revoked_at       INTEGER NOT NULL DEFAULT 0,
	mark             TEXT    NOT NULL DEFAULT '',
	keep_until       INTEGER NOT NULL,
	PRIMARY KEY (tenant_id, user_id, session_id, token_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sessions_by_id ON credentials (session_id) WHERE token_id = '';
CREATE UNIQUE INDEX refresh_tokens_by_id ON credentials (token_id) WHERE token_id <> '';

CREATE TABLE push_registrations (
	tenant_id     TEXT    NOT NULL,
	user_id       TEXT    NOT NULL,
	device_id     TEXT    NOT NULL,
	id            TEXT    NOT NULL,
	app_id        TEXT    NOT NULL,
	provider      TEXT    NOT NULL,
	push_token    TEXT    NOT NULL,
	session_id    TEXT    NOT NULL,
	registered_at INTEGER NOT NULL,
	mark          TEXT    NOT NULL DEFAULT '',
	PRIMARY KEY (tenant_id, user_id, device_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX push_registrations_by_id ON push_registrations (tenant_id, user_id, id);
CREATE INDEX push_registrations_bound ON push_registrations (tenant_id, user_id, session_id) WHERE session_id <> '';

-- The cutoffs of users (device_id is '') and of users' devices.
CREATE TABLE cutoffs (
	tenant_id  TEXT    NOT NULL,
	user_id    TEXT    NOT NULL,
	device_id  TEXT    NOT NULL,
	cutoff     INTEGER NOT NULL,
	keep_until INTEGER NOT NULL,
	PRIMARY KEY (tenant_id, user_id, device_id)
) STRICT, WITHOUT ROWID;

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

-- The requests that are finished. ended_at is the revoked_at of the session
-- presented (0 where there is none): it never changes any more, and makes rows
-- that are written one after another neighbours.
CREATE TABLE done (
	ended_at   INTEGER NOT NULL,
	request_id TEXT    NOT NULL,
	keep_until INTEGER NOT NULL,
	PRIMARY KEY (ended_at, request_id)
) STRICT, WITHOUT ROWID;
