-- +goose Up

-- When somebody wants to be reminded, by what they do here: apprentices of what
-- is missing (R323), trainers and supervisors of what waits (R324). Whoever has
-- such a role gets a row; without mails it goes on, for what the trainer hears.
CREATE TABLE reminder (
	person     TEXT NOT NULL REFERENCES person (sub),
	kind       TEXT NOT NULL CHECK (kind IN ('writing', 'reviewing')),
	weekly     BOOLEAN NOT NULL DEFAULT TRUE,  -- FALSE: no mail
	weekday    INTEGER NOT NULL CHECK (weekday BETWEEN 1 AND 7),
	hour       INTEGER NOT NULL CHECK (hour BETWEEN 0 AND 23),
	quiet      BOOLEAN NOT NULL DEFAULT FALSE, -- instead of a mail per submission (M20)
	slot       TEXT NOT NULL,                  -- the chosen day that comes next, 2026-11-22
	next_at    TIMESTAMPTZ NOT NULL,           -- when; after slot if that was a holiday, or we were down
	changed_at TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (person, kind)
);
CREATE INDEX reminder_next ON reminder (kind, next_at, person);

-- That somebody got their mail of a week: once, however many nodes send.
CREATE TABLE reminder_sent (
	person  TEXT NOT NULL REFERENCES person (sub),
	kind    TEXT NOT NULL,
	week    TEXT NOT NULL,                     -- of the chosen day, 2026-W47
	sent_at TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (person, kind, week)
);
CREATE INDEX reminder_sent_at ON reminder_sent (sent_at);

-- After how many weeks without a submission the trainer hears of it; 0: never.
-- Without a row it is four.
CREATE TABLE reminder_setting (
	company    TEXT PRIMARY KEY REFERENCES company (id),
	weeks      INTEGER NOT NULL,
	changed_at TIMESTAMPTZ NOT NULL,
	changed_by TEXT NOT NULL
);

-- That somebody has submitted nothing for long; told once per silence.
CREATE TABLE silence (
	person         TEXT NOT NULL REFERENCES person (sub),
	since          TEXT NOT NULL,              -- day of the last submission, or of the beginning
	company        TEXT NOT NULL REFERENCES company (id),
	apprenticeship TEXT NOT NULL REFERENCES apprenticeship (id) ON DELETE CASCADE,
	noted_at       TIMESTAMPTZ NOT NULL,
	told_at        TIMESTAMPTZ,
	PRIMARY KEY (person, since)
);
CREATE INDEX silence_untold ON silence (company) WHERE told_at IS NULL;
CREATE INDEX silence_apprenticeship ON silence (apprenticeship);

-- A calendar that others read without signing in, by an address that nobody can guess.
CREATE TABLE calendar_feed (
	id         TEXT PRIMARY KEY,
	token_hash TEXT NOT NULL UNIQUE,
	person     TEXT NOT NULL REFERENCES person (sub),
	created_at TIMESTAMPTZ NOT NULL,
	used_at    TIMESTAMPTZ,
	ended_at   TIMESTAMPTZ
);
CREATE UNIQUE INDEX calendar_feed_one ON calendar_feed (person) WHERE ended_at IS NULL;
CREATE INDEX calendar_feed_person ON calendar_feed (person);

-- That the portal lives, and when it did not: days lost to nobody's deadline.
CREATE TABLE heartbeat (
	name TEXT PRIMARY KEY,
	at   TIMESTAMPTZ NOT NULL
);
CREATE TABLE outage (
	id       TEXT PRIMARY KEY,
	from_at  TIMESTAMPTZ NOT NULL,
	until_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX outage_until ON outage (until_at);
CREATE INDEX company_role_person ON company_role (person, role);
