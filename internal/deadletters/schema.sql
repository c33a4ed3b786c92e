-- The stream made at created (in Unix nanoseconds) is indexed up to seq.
CREATE TABLE progress (created INTEGER NOT NULL, seq INTEGER NOT NULL);
INSERT INTO progress VALUES (0, 0);

-- Times are in Unix milliseconds, 0 where they are not known.
CREATE TABLE dead_letters (
    seq             INTEGER PRIMARY KEY,
    id              TEXT NOT NULL,
    step            TEXT NOT NULL,
    target          TEXT NOT NULL,
    code            TEXT NOT NULL,
    failed_at       INTEGER NOT NULL,
    attempts        INTEGER NOT NULL,
    tenant          TEXT NOT NULL,
    app             TEXT NOT NULL,
    user            TEXT NOT NULL,
    device          TEXT NOT NULL,
    session         TEXT NOT NULL,
    request         TEXT NOT NULL,
    error           TEXT NOT NULL,
    replays         INTEGER NOT NULL,
    first_failed_at INTEGER NOT NULL,
    requested_at    INTEGER NOT NULL,
    cutoff          INTEGER NOT NULL,
    scope           TEXT NOT NULL,
    dialect         TEXT NOT NULL,
    UNIQUE (id, step)
);

-- Lists are ordered by time; a filter without a selective column scans this
-- index, which has every column that filters and groups read.
CREATE INDEX by_time ON dead_letters (failed_at, seq, step, target, code, tenant, user, app, device, attempts);
CREATE INDEX by_user ON dead_letters (user, tenant, failed_at);
CREATE INDEX by_device ON dead_letters (device, failed_at);
CREATE INDEX by_session ON dead_letters (session, failed_at);
