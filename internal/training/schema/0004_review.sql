-- +goose Up

-- What was returned, as it was: the next submission shows what changed since.
CREATE TABLE report_version (
	report      TEXT NOT NULL REFERENCES report (id) ON DELETE CASCADE,
	version     INTEGER NOT NULL,
	at          TIMESTAMPTZ NOT NULL,
	department  TEXT NOT NULL,
	work        TEXT NOT NULL,
	instruction TEXT NOT NULL,
	school      TEXT NOT NULL,
	days        TEXT NOT NULL,              -- as in report
	PRIMARY KEY (report, version)
);

-- What somebody decided lately: "Erledigt", and what can be taken back. Kept for
-- ninety days; for ever it is in report_event.
CREATE TABLE decision (
	id     TEXT PRIMARY KEY,
	person TEXT NOT NULL REFERENCES person (sub),
	report TEXT NOT NULL REFERENCES report (id) ON DELETE CASCADE,
	at     TIMESTAMPTZ NOT NULL,
	kind   TEXT NOT NULL CHECK (kind IN ('checked', 'signed_off', 'returned', 'reopened'))
);
CREATE INDEX decision_person ON decision (person, id);
CREATE INDEX decision_report ON decision (report);
CREATE INDEX decision_at ON decision (at);

-- Sealed reports (L16): one chain per book. Each digest covers the text that was
-- signed off, who did it when, and the digest before; the audit has it too.
CREATE TABLE report_seal (
	apprentice TEXT NOT NULL REFERENCES person (sub),
	number     INTEGER NOT NULL,            -- 1, 2, 3 … in the book
	report     TEXT NOT NULL REFERENCES report (id) ON DELETE CASCADE,
	version    INTEGER NOT NULL,
	at         TIMESTAMPTZ NOT NULL,        -- when it was signed off
	person     TEXT NOT NULL,               -- by whom
	content    TEXT NOT NULL,               -- SHA-256 of the text
	digest     TEXT NOT NULL,               -- SHA-256 of all this and the digest before
	PRIMARY KEY (apprentice, number)
);
CREATE INDEX report_seal_report ON report_seal (report);

-- Who looks after somebody's apprentices while they are away.
CREATE TABLE substitute (
	id         TEXT PRIMARY KEY,
	company    TEXT NOT NULL REFERENCES company (id),
	person     TEXT NOT NULL REFERENCES person (sub), -- who is away
	deputy     TEXT NOT NULL REFERENCES person (sub),
	from_day   TEXT NOT NULL,
	until_day  TEXT NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	ended_at   TIMESTAMPTZ
);
CREATE INDEX substitute_person ON substitute (person, company, until_day);
CREATE INDEX substitute_deputy ON substitute (deputy, company, until_day);

-- Whether apprentices of a company may send reports to people without an account
-- (W14), and whether those sign at once; without a row they sign when the company
-- has confirmed their address.
CREATE TABLE supervisor_setting (
	company    TEXT PRIMARY KEY REFERENCES company (id),
	way        TEXT NOT NULL CHECK (way IN ('confirmed', 'pin', 'account')),
	changed_at TIMESTAMPTZ NOT NULL,
	changed_by TEXT NOT NULL
);

-- Addresses without an account that a company knows as those of its people.
CREATE TABLE supervisor_known (
	company      TEXT NOT NULL REFERENCES company (id),
	person       TEXT NOT NULL REFERENCES supervisor (person) ON DELETE CASCADE,
	confirmed_at TIMESTAMPTZ NOT NULL,
	confirmed_by TEXT NOT NULL,             -- a trainer or training admin
	PRIMARY KEY (company, person)
);
CREATE INDEX supervisor_known_person ON supervisor_known (person);

-- The account of somebody who began with a PIN: same address, same history.
ALTER TABLE supervisor ADD COLUMN account TEXT;
CREATE INDEX supervisor_account ON supervisor (account) WHERE account IS NOT NULL;
