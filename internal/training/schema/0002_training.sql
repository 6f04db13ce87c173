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
	seen_at     TIMESTAMPTZ NOT NULL
);

CREATE TABLE company (
	id             TEXT PRIMARY KEY,        -- organization.id of the token
	name           TEXT NOT NULL,
	ident_number   TEXT NOT NULL,
	chamber_number TEXT NOT NULL,
	seen_at        TIMESTAMPTZ NOT NULL
);

-- Roles of a person in a company, as the last token said.
CREATE TABLE company_role (
	company TEXT NOT NULL REFERENCES company (id),
	person  TEXT NOT NULL REFERENCES person (sub),
	role    TEXT NOT NULL CHECK (role IN ('apprentice', 'retrainee', 'trainer', 'supervisor', 'training_admin')),
	seen_at TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (company, person, role)
);
CREATE INDEX company_role_role ON company_role (company, role);

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

-- The report book: one report per apprentice, company and week (ISO 8601).
CREATE TABLE report (
	id            TEXT PRIMARY KEY,
	apprentice    TEXT NOT NULL REFERENCES person (sub),
	company       TEXT NOT NULL REFERENCES company (id),
	year          INTEGER NOT NULL,         -- of the ISO week
	week          INTEGER NOT NULL CHECK (week BETWEEN 1 AND 53),
	department    TEXT NOT NULL DEFAULT '', -- Ausbildungsabschnitt
	work          TEXT NOT NULL DEFAULT '', -- betriebliche Tätigkeiten
	instruction   TEXT NOT NULL DEFAULT '', -- Unterweisungen, betrieblicher Unterricht
	school        TEXT NOT NULL DEFAULT '', -- Themen der Berufsschule
	state         TEXT NOT NULL CHECK (state IN ('draft', 'submitted', 'returned', 'signed_off')),
	answer        TEXT NOT NULL DEFAULT '', -- why it was returned
	approver      TEXT NOT NULL DEFAULT '', -- to whom it was sent (R326); empty: the company's trainers
	submitted_at  TIMESTAMPTZ,
	decided_at    TIMESTAMPTZ,
	decided_by    TEXT NOT NULL DEFAULT '', -- sub of the trainer
	created_at    TIMESTAMPTZ NOT NULL,
	changed_at    TIMESTAMPTZ NOT NULL,
	version       INTEGER NOT NULL DEFAULT 1,
	UNIQUE (apprentice, company, year, week)
);
CREATE INDEX report_week ON report (company, apprentice, year, week);
CREATE INDEX report_approver ON report (approver, submitted_at, id) WHERE approver <> '';
CREATE INDEX report_queue ON report (company, submitted_at, id) WHERE state = 'submitted';

-- Entries per day, for those who write daily (R226).
CREATE TABLE report_day (
	report     TEXT NOT NULL REFERENCES report (id) ON DELETE CASCADE,
	day        INTEGER NOT NULL CHECK (day BETWEEN 1 AND 7), -- Monday is 1
	attendance TEXT NOT NULL CHECK (attendance IN ('', 'company', 'school', 'course', 'vacation', 'sick', 'holiday', 'free')),
	text       TEXT NOT NULL,
	PRIMARY KEY (report, day)
);

-- What happened to a report, and what people said about it.
CREATE TABLE report_event (
	id     TEXT PRIMARY KEY,
	report TEXT NOT NULL REFERENCES report (id) ON DELETE CASCADE,
	at     TIMESTAMPTZ NOT NULL,
	person TEXT NOT NULL REFERENCES person (sub),
	event  TEXT NOT NULL CHECK (event IN ('submitted', 'taken_back', 'returned', 'signed_off', 'reopened', 'comment')),
	text   TEXT NOT NULL DEFAULT '',         -- reason, remark or comment
	digest TEXT NOT NULL DEFAULT ''          -- SHA-256 of what was submitted or signed off (L16)
);
CREATE INDEX report_event_report ON report_event (report, id);
