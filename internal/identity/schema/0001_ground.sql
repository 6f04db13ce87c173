-- +goose Up

-- What the ground keeps in every application's database: the record of deeds,
-- the work to be done, and who tries too often. The same text in both portals.

CREATE TABLE audit (
	id           TEXT PRIMARY KEY,          -- UUIDv7: sorts by time
	at           TIMESTAMPTZ NOT NULL,
	actor_kind   TEXT NOT NULL CHECK (actor_kind IN ('person', 'command', 'system')),
	actor        TEXT NOT NULL,             -- account, or empty
	ip           TEXT NOT NULL,
	agent        TEXT NOT NULL,
	request      TEXT NOT NULL,             -- the number people see as "Vorgang"
	event        TEXT NOT NULL,
	account      TEXT NOT NULL,             -- on whom
	organization TEXT NOT NULL,
	chamber      TEXT NOT NULL,
	thing        TEXT NOT NULL,
	detail       TEXT NOT NULL              -- JSON, ids and keys only
);
CREATE INDEX audit_chamber ON audit (chamber, id);
CREATE INDEX audit_organization ON audit (organization, id);
CREATE INDEX audit_account ON audit (account, id);

CREATE TABLE job (
	id         TEXT PRIMARY KEY,
	kind       TEXT NOT NULL,
	job_key    TEXT NOT NULL,
	body       TEXT NOT NULL,               -- JSON
	state      TEXT NOT NULL CHECK (state IN ('ready', 'dead')),
	run_at     TIMESTAMPTZ NOT NULL,        -- while leased: when the lease ends
	lease      TEXT NOT NULL DEFAULT '',
	tries      INTEGER NOT NULL DEFAULT 0,
	error      TEXT NOT NULL DEFAULT '',
	created_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX job_once ON job (kind, job_key) WHERE state = 'ready';
CREATE INDEX job_due ON job (run_at, id) WHERE state = 'ready';

CREATE TABLE limit_bucket (
	bucket TEXT PRIMARY KEY,
	tat    BIGINT NOT NULL                  -- theoretical arrival time, Unix microseconds
);
