-- +goose Up

-- What somebody takes out of a report book: a PDF that a job makes. The file
-- goes after some days; what /verify tells of it (no name, initials only) stays
-- as long as somebody may hold the paper.
CREATE TABLE export (
	id         TEXT PRIMARY KEY,
	person     TEXT NOT NULL REFERENCES person (sub), -- whose book
	ordered_by TEXT NOT NULL REFERENCES person (sub),
	company    TEXT NOT NULL DEFAULT '',    -- only what was written for it: somebody of it ordered; empty: the whole book
	share      TEXT NOT NULL DEFAULT '',    -- the chamber's look by which it was ordered
	scope      TEXT NOT NULL CHECK (scope IN ('book', 'period', 'week')),
	first_day  TEXT NOT NULL DEFAULT '',    -- empty: from the beginning
	last_day   TEXT NOT NULL DEFAULT '',
	signed     BOOLEAN NOT NULL,            -- TRUE: only what was signed off
	language   TEXT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('waiting', 'made', 'empty', 'gone')),
	done       INTEGER NOT NULL DEFAULT 0,  -- of how many weeks, while it is made
	total      INTEGER NOT NULL DEFAULT 0,
	signed_off INTEGER NOT NULL DEFAULT 0,  -- weeks in it that were signed off
	initials   TEXT NOT NULL DEFAULT '',
	code       TEXT NOT NULL DEFAULT '',    -- keyed hash of the code on the cover
	sha256     TEXT NOT NULL DEFAULT '',    -- of the file
	size       INTEGER NOT NULL DEFAULT 0,
	created_at TIMESTAMPTZ NOT NULL,
	made_at    TIMESTAMPTZ,
	expires_at TIMESTAMPTZ NOT NULL         -- of the file
);
CREATE INDEX export_person ON export (ordered_by, id);
CREATE INDEX export_taken ON export (person, id) WHERE ordered_by <> person; -- the owner reads who took it out
CREATE UNIQUE INDEX export_code ON export (code) WHERE code <> '';
CREATE INDEX export_expires ON export (expires_at) WHERE state <> 'gone';
CREATE INDEX export_gone ON export (expires_at) WHERE state = 'gone';

CREATE TABLE export_part (
	export TEXT NOT NULL REFERENCES export (id) ON DELETE CASCADE,
	part   INTEGER NOT NULL,
	body   BYTEA NOT NULL,
	PRIMARY KEY (export, part)
);

-- Personal tokens for the interface of machines (/api/v1): of one person in one
-- company, and never more than that person may do there.
CREATE TABLE api_token (
	id         TEXT PRIMARY KEY,
	token_hash TEXT NOT NULL UNIQUE,
	person     TEXT NOT NULL REFERENCES person (sub),
	company    TEXT NOT NULL REFERENCES company (id),
	name       TEXT NOT NULL,               -- what it is for, in the person's words
	hint       TEXT NOT NULL,               -- its last characters, to tell them apart
	scope      TEXT NOT NULL CHECK (scope IN ('read', 'write')),
	created_at TIMESTAMPTZ NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL,
	used_at    TIMESTAMPTZ,
	ended_at   TIMESTAMPTZ
);
CREATE INDEX api_token_person ON api_token (person, id);
CREATE INDEX api_token_expires ON api_token (expires_at);

-- What somebody uploaded to take it in, read and waiting for their yes: kept
-- sealed, a day at most.
CREATE TABLE intake (
	id         TEXT PRIMARY KEY,
	person     TEXT NOT NULL REFERENCES person (sub),
	company    TEXT NOT NULL REFERENCES company (id),
	kind       TEXT NOT NULL CHECK (kind IN ('reports', 'lessons')),
	name       TEXT NOT NULL,               -- of the file
	body       TEXT NOT NULL,               -- what was read, sealed; empty when it is done
	state      TEXT NOT NULL CHECK (state IN ('read', 'done')),
	result     TEXT NOT NULL DEFAULT '',    -- counts, as JSON
	created_at TIMESTAMPTZ NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX intake_person ON intake (person, id);
CREATE INDEX intake_expires ON intake (expires_at);
