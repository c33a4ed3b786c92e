-- How far the projection is: of the stream made at created (in Unix
-- nanoseconds), it has what there is up to seq. indexed: indexes.sql was run.
CREATE TABLE progress (created INTEGER NOT NULL, seq INTEGER NOT NULL, indexed INTEGER NOT NULL);
INSERT INTO progress VALUES (0, 0, 0);

-- Each step, target and code that letters failed with, and how many letters
-- and users there are; users is kept once it is indexed.
CREATE TABLE causes (
    id      INTEGER PRIMARY KEY,
    step    TEXT NOT NULL,
    target  TEXT NOT NULL,
    code    TEXT NOT NULL,
    letters INTEGER NOT NULL DEFAULT 0,
    users   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (step, target, code)
);

-- Times are in Unix milliseconds, 0 where they are not known.
CREATE TABLE letters (
    seq             INTEGER PRIMARY KEY,
    cause           INTEGER NOT NULL,
    id              TEXT NOT NULL,
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
    dialect         TEXT NOT NULL
);

CREATE TRIGGER letter_came AFTER INSERT ON letters BEGIN
    UPDATE causes SET letters = letters + 1 WHERE id = NEW.cause;
END;

CREATE TRIGGER letter_went AFTER DELETE ON letters BEGIN
    UPDATE causes SET letters = letters - 1 WHERE id = OLD.cause;
END;
