-- +goose Up

-- What the training portal knows of people and companies: what the tokens said
-- at their last sign-in. It never asks the identity portal's database.

CREATE TABLE person (
	sub         TEXT PRIMARY KEY,           -- subject of the ID token
	name        TEXT NOT NULL,
	given_name  TEXT NOT NULL,
	family_name TEXT NOT NULL,
	name_key    TEXT NOT NULL,              -- collation key made in Go
	email       TEXT NOT NULL,
	language    TEXT NOT NULL,
	seen_at     TIMESTAMPTZ NOT NULL,
	-- Who left (package erasure): the identity portal said that the account is
	-- deleted, or the operator was asked to forget them.
	gone        TEXT NOT NULL DEFAULT '' CHECK (gone IN ('', 'purged', 'asked')),
	gone_at     TIMESTAMPTZ,
	named_until TEXT NOT NULL DEFAULT '',   -- day: so long the name stands beside what they signed
	look_at     TIMESTAMPTZ                 -- when the nightly job looks again; NULL: nothing is left to erase
);
CREATE INDEX person_look ON person (look_at, sub) WHERE look_at IS NOT NULL;

CREATE TABLE company (
	id             TEXT PRIMARY KEY,        -- organization.id of the token
	name           TEXT NOT NULL,
	ident_number   TEXT NOT NULL,
	chamber_number TEXT NOT NULL,
	seen_at        TIMESTAMPTZ NOT NULL
);
CREATE INDEX company_numbers ON company (chamber_number, ident_number);

-- Roles of a person in a company, as the last token said.
CREATE TABLE company_role (
	company TEXT NOT NULL REFERENCES company (id),
	person  TEXT NOT NULL REFERENCES person (sub),
	role    TEXT NOT NULL CHECK (role IN ('apprentice', 'retrainee', 'trainer', 'supervisor', 'training_admin', 'chamber_clerk')),
	since   TIMESTAMPTZ NOT NULL, -- the first sign-in with it: from then on we know of it
	seen_at TIMESTAMPTZ NOT NULL, -- the last one
	PRIMARY KEY (company, person, role)
);
CREATE INDEX company_role_role ON company_role (company, role);

-- The numbers under which a company and its chamber know a person (R216), as
-- the last token said: by them what the registry says finds who it is about.
CREATE TABLE company_number (
	company           TEXT NOT NULL REFERENCES company (id),
	person            TEXT NOT NULL REFERENCES person (sub),
	apprentice_number TEXT NOT NULL DEFAULT '',
	trainer_number    TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (company, person)
);
CREATE INDEX company_number_person ON company_number (person);

-- Companies that are a chamber's own office, as its operator said. In them, and
-- nowhere else, the role chamber_clerk counts. They may never have been here.
CREATE TABLE chamber_office (
	company        TEXT PRIMARY KEY,        -- organization.id of the token
	chamber_number TEXT NOT NULL,
	added_at       TIMESTAMPTZ NOT NULL
);

-- Who signs without an account (R268, R329): the PIN that went to this address
-- opens what was sent there, and nothing else. The person is known by the address.
CREATE TABLE supervisor (
	person       TEXT PRIMARY KEY REFERENCES person (sub),
	email_key    TEXT NOT NULL UNIQUE,      -- in lower case
	pin_mac      TEXT NOT NULL,
	pin_at       TIMESTAMPTZ NOT NULL,      -- when it was mailed
	failures     INTEGER NOT NULL DEFAULT 0,
	paused_until TIMESTAMPTZ,
	used_at      TIMESTAMPTZ
);

CREATE TABLE supervisor_session (
	id         TEXT PRIMARY KEY,
	token_hash TEXT NOT NULL UNIQUE,
	person     TEXT NOT NULL REFERENCES supervisor (person),
	created_at TIMESTAMPTZ NOT NULL,
	seen_at    TIMESTAMPTZ NOT NULL,
	ends_at    TIMESTAMPTZ NOT NULL,
	ended_at   TIMESTAMPTZ
);
CREATE INDEX supervisor_session_person ON supervisor_session (person) WHERE ended_at IS NULL;
CREATE INDEX supervisor_session_ends ON supervisor_session (ends_at);

-- A sign-in on its way to the identity portal and back.
CREATE TABLE login_attempt (
	state_hash TEXT PRIMARY KEY,
	browser    TEXT NOT NULL,               -- hash of the cookie: the answer must come back to the same browser
	nonce      TEXT NOT NULL,
	verifier   TEXT NOT NULL,               -- PKCE, sealed
	next       TEXT NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX login_attempt_expires ON login_attempt (expires_at);

CREATE TABLE session (
	id         TEXT PRIMARY KEY,
	token_hash TEXT NOT NULL UNIQUE,
	person     TEXT NOT NULL REFERENCES person (sub),
	company    TEXT NOT NULL REFERENCES company (id), -- acted for; the roles in it are in company_role
	sid        TEXT NOT NULL,               -- the identity portal's session, for logging out
	id_token   TEXT NOT NULL,               -- sealed; the hint for RP-initiated logout
	created_at TIMESTAMPTZ NOT NULL,
	seen_at    TIMESTAMPTZ NOT NULL,
	ends_at    TIMESTAMPTZ NOT NULL,
	ended_at   TIMESTAMPTZ
);
CREATE INDEX session_sid ON session (sid) WHERE ended_at IS NULL;
CREATE INDEX session_person ON session (person) WHERE ended_at IS NULL;
CREATE INDEX session_ends ON session (ends_at);

-- What was typed when the session had ended meanwhile: kept sealed until the
-- same browser has signed in again as the same person, at most a day.
CREATE TABLE parked_form (
	browser    TEXT NOT NULL,               -- hash of the cookie
	path       TEXT NOT NULL,
	person     TEXT NOT NULL,               -- who it belongs to, as the form itself said
	body       TEXT NOT NULL,               -- sealed
	expires_at TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (browser, path)
);
CREATE INDEX parked_form_expires ON parked_form (expires_at);

-- Logout tokens already used (OpenID Connect Back-Channel Logout 1.0, 2.6).
CREATE TABLE logout_token (
	jti        TEXT PRIMARY KEY,
	expires_at TIMESTAMPTZ NOT NULL
);

-- An apprenticeship or retraining: who learns what, where and how long. What the
-- registry of the chamber, the company and the apprentice say of it. The book
-- belongs to the person and goes on when company or occupation change.
CREATE TABLE apprenticeship (
	id             TEXT PRIMARY KEY,
	person         TEXT REFERENCES person (sub),    -- NULL: nobody is known to be it yet
	company        TEXT REFERENCES company (id),    -- NULL: the company was not here yet
	chamber_number TEXT NOT NULL DEFAULT '',
	ident_number   TEXT NOT NULL DEFAULT '',        -- of the company, as the registry knows it
	number         TEXT NOT NULL DEFAULT '',        -- apprentice number (Azubi-Identnummer)
	trainer_number TEXT NOT NULL DEFAULT '',        -- of the trainer whom the contract names (R333)
	given_name     TEXT NOT NULL DEFAULT '',        -- as company or registry wrote it
	family_name    TEXT NOT NULL DEFAULT '',
	name_key       TEXT NOT NULL DEFAULT '',
	words          TEXT NOT NULL DEFAULT '',        -- folded, to search
	email          TEXT NOT NULL DEFAULT '',
	occupation     TEXT NOT NULL DEFAULT '',        -- key of the list of occupations; empty: not said yet
	retraining     BOOLEAN NOT NULL DEFAULT FALSE,
	site           TEXT NOT NULL DEFAULT '',        -- where, in words
	land           TEXT NOT NULL DEFAULT '',        -- whose public holidays: BW, BY … (ISO 3166-2:DE)
	starts_on      TEXT NOT NULL DEFAULT '',        -- days as 2026-08-01; empty: not said yet
	ends_on        TEXT NOT NULL DEFAULT '',        -- agreed end
	ended_on       TEXT NOT NULL DEFAULT '',        -- last day, if it ended or went over into another
	previous       TEXT REFERENCES apprenticeship (id), -- what it continues
	source         TEXT NOT NULL CHECK (source IN ('self', 'company', 'registry')),
	created_at     TIMESTAMPTZ NOT NULL,
	changed_at     TIMESTAMPTZ NOT NULL,
	version        INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX apprenticeship_person ON apprenticeship (person, company, starts_on);
CREATE INDEX apprenticeship_company ON apprenticeship (company, name_key, id);
CREATE INDEX apprenticeship_number ON apprenticeship (chamber_number, number) WHERE number <> '';
CREATE INDEX apprenticeship_ident ON apprenticeship (chamber_number, ident_number) WHERE company IS NULL;
CREATE INDEX apprenticeship_unknown ON apprenticeship (company) WHERE person IS NULL; -- whose person may come any time
CREATE INDEX apprenticeship_previous ON apprenticeship (previous) WHERE previous IS NOT NULL;
-- Only one that nobody described yet per person and company.
CREATE UNIQUE INDEX apprenticeship_self ON apprenticeship (person, company) WHERE source = 'self';

-- Who accompanies an apprenticeship, and when: its trainer, and supervisors of
-- departments (R232, R325). Without any, all trainers of the company do.
CREATE TABLE assignment (
	id             TEXT PRIMARY KEY,
	apprenticeship TEXT NOT NULL REFERENCES apprenticeship (id) ON DELETE CASCADE,
	person         TEXT NOT NULL REFERENCES person (sub),
	role           TEXT NOT NULL CHECK (role IN ('trainer', 'supervisor')),
	department     TEXT NOT NULL DEFAULT '',
	from_day       TEXT NOT NULL,
	until_day      TEXT NOT NULL DEFAULT '',        -- empty: open
	created_at     TIMESTAMPTZ NOT NULL,
	created_by     TEXT NOT NULL DEFAULT ''
);
CREATE INDEX assignment_apprenticeship ON assignment (apprenticeship, from_day);
CREATE INDEX assignment_person ON assignment (person, from_day);

-- How a company keeps report books (R234, R315, R316): for all occupations
-- (occupation is empty), and otherwise for one of them.
CREATE TABLE company_setting (
	company    TEXT NOT NULL REFERENCES company (id),
	occupation TEXT NOT NULL DEFAULT '',
	electronic BOOLEAN NOT NULL,                -- FALSE: nothing can be written here
	mode       TEXT NOT NULL CHECK (mode IN ('week', 'day')),
	steps      INTEGER NOT NULL CHECK (steps IN (1, 2)), -- 2: a supervisor checks, then the trainer signs off
	due_days   INTEGER NOT NULL,                -- days after the week's end until a report is late
	changed_at TIMESTAMPTZ NOT NULL,
	changed_by TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (company, occupation)
);

-- That a company changed the form in which report books are kept: the chamber
-- must be told (R314), and reads it here.
CREATE TABLE form_change (
	id             TEXT PRIMARY KEY,
	chamber_number TEXT NOT NULL,
	company        TEXT NOT NULL REFERENCES company (id),
	occupation     TEXT NOT NULL DEFAULT '',    -- empty: all that have no settings of their own
	electronic     BOOLEAN NOT NULL,            -- from now on
	apprenticeships INTEGER NOT NULL,          -- that run at that moment and are meant
	changed_at     TIMESTAMPTZ NOT NULL,
	changed_by     TEXT NOT NULL DEFAULT ''
);
CREATE INDEX form_change_chamber ON form_change (chamber_number, id);
CREATE INDEX form_change_company ON form_change (company, id);

-- A company's list of apprentices between reading and taking over; it is
-- forgotten after a day.
CREATE TABLE trainee_list (
	id         TEXT PRIMARY KEY,
	company    TEXT NOT NULL REFERENCES company (id),
	name       TEXT NOT NULL,
	body       TEXT NOT NULL,                   -- sealed
	created_by TEXT NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	taken_at   TIMESTAMPTZ,                     -- once
	expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX trainee_list_expires ON trainee_list (expires_at);

-- The report book: one report per apprenticeship and week (ISO 8601), or the one
-- long report for what was written on paper before (R317). A day is stored as
-- 2026-08-01. What is read in lists stands before the long texts.
CREATE TABLE report (
	id             TEXT PRIMARY KEY,
	apprentice     TEXT NOT NULL REFERENCES person (sub),
	apprenticeship TEXT NOT NULL REFERENCES apprenticeship (id),
	company        TEXT NOT NULL REFERENCES company (id), -- for which it was written
	kind           TEXT NOT NULL DEFAULT 'week' CHECK (kind IN ('week', 'paper')),
	year           INTEGER NOT NULL,         -- of the ISO week
	week           INTEGER NOT NULL CHECK (week BETWEEN 1 AND 53),
	first_day      TEXT NOT NULL,
	last_day       TEXT NOT NULL,
	state          TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'checked', 'returned', 'signed_off')),
	approver       TEXT NOT NULL DEFAULT '', -- to whom it was sent (R326); empty: those who are assigned
	submitted_at   TIMESTAMPTZ,
	checked_at     TIMESTAMPTZ,              -- first of two steps
	checked_by     TEXT NOT NULL DEFAULT '',
	decided_at     TIMESTAMPTZ,
	decided_by     TEXT NOT NULL DEFAULT '', -- sub of who decided
	undo_until     TIMESTAMPTZ,              -- so long the decision can be taken back, and nobody is told
	created_at     TIMESTAMPTZ NOT NULL,
	changed_at     TIMESTAMPTZ NOT NULL,
	version        INTEGER NOT NULL DEFAULT 1,
	department     TEXT NOT NULL DEFAULT '', -- Ausbildungsabschnitt
	sections       TEXT NOT NULL DEFAULT '', -- ids of the training plan's sections, with a blank between
	answer         TEXT NOT NULL DEFAULT '', -- why it was returned
	work           TEXT NOT NULL DEFAULT '', -- betriebliche Tätigkeiten
	instruction    TEXT NOT NULL DEFAULT '', -- Unterweisungen, betrieblicher Unterricht
	school         TEXT NOT NULL DEFAULT '', -- Themen der Berufsschule
	days           TEXT NOT NULL DEFAULT '', -- seven days as JSON: one row is one report, there are millions
	UNIQUE (apprenticeship, year, week)
);
-- All that lists say of a report: they read it here alone, one after the other; in the table the
-- weeks of one book lie as far apart as they were written.
CREATE INDEX report_book ON report (apprentice, year, week, state, kind, first_day, last_day, id, company, submitted_at, undo_until);
CREATE INDEX report_approver ON report (approver, submitted_at, id) WHERE approver <> '';
CREATE INDEX report_queue ON report (company, submitted_at, id) WHERE state IN ('submitted', 'checked');
CREATE INDEX report_waiting ON report (apprenticeship, submitted_at) WHERE state IN ('submitted', 'checked');
CREATE UNIQUE INDEX report_paper_once ON report (apprenticeship) WHERE kind = 'paper';
CREATE INDEX report_undo ON report (undo_until) WHERE undo_until IS NOT NULL;

-- What happened to a report, and what people said about it.
CREATE TABLE report_event (
	id     TEXT PRIMARY KEY,
	report TEXT NOT NULL REFERENCES report (id) ON DELETE CASCADE,
	at     TIMESTAMPTZ NOT NULL,
	person TEXT NOT NULL REFERENCES person (sub),
	event  TEXT NOT NULL CHECK (event IN ('submitted', 'taken_back', 'checked', 'returned', 'signed_off', 'undone', 'reopened', 'comment')),
	text   TEXT NOT NULL DEFAULT '',         -- reason, remark or comment
	digest TEXT NOT NULL DEFAULT ''          -- SHA-256 of what was submitted or signed off (L16)
);
CREATE INDEX report_event_report ON report_event (report, id);
