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

CREATE TABLE company_role (
	company TEXT NOT NULL REFERENCES company (id),
	person  TEXT NOT NULL REFERENCES person (sub),
	role    TEXT NOT NULL CHECK (role IN ('apprentice', 'retrainee', 'trainer', 'supervisor', 'training_admin', 'chamber_clerk')),
	since   TIMESTAMPTZ NOT NULL, -- the first sign-in with it: from then on we know of it
	seen_at TIMESTAMPTZ NOT NULL, -- the last one
	PRIMARY KEY (company, person, role)
);
CREATE INDEX company_role_role ON company_role (company, role);
CREATE INDEX company_role_person ON company_role (person, role);

CREATE TABLE company_number (
	company           TEXT NOT NULL REFERENCES company (id),
	person            TEXT NOT NULL REFERENCES person (sub),
	apprentice_number TEXT NOT NULL DEFAULT '',
	trainer_number    TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (company, person)
);
CREATE INDEX company_number_person ON company_number (person);

CREATE TABLE chamber_office (
	company        TEXT PRIMARY KEY,        -- organization.id of the token
	chamber_number TEXT NOT NULL,
	added_at       TIMESTAMPTZ NOT NULL
);

CREATE TABLE supervisor (
	person       TEXT PRIMARY KEY REFERENCES person (sub),
	email_key    TEXT NOT NULL UNIQUE,      -- in lower case
	pin_mac      TEXT NOT NULL,
	pin_at       TIMESTAMPTZ NOT NULL,      -- when it was mailed
	failures     INTEGER NOT NULL DEFAULT 0,
	paused_until TIMESTAMPTZ,
	used_at      TIMESTAMPTZ
, account TEXT);
CREATE INDEX supervisor_account ON supervisor (account) WHERE account IS NOT NULL;

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

CREATE TABLE parked_form (
	browser    TEXT NOT NULL,               -- hash of the cookie
	path       TEXT NOT NULL,
	person     TEXT NOT NULL,               -- who it belongs to, as the form itself said
	body       TEXT NOT NULL,               -- sealed
	expires_at TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (browser, path)
);
CREATE INDEX parked_form_expires ON parked_form (expires_at);

CREATE TABLE logout_token (
	jti        TEXT PRIMARY KEY,
	expires_at TIMESTAMPTZ NOT NULL
);

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
CREATE INDEX apprenticeship_unknown ON apprenticeship (company) WHERE person IS NULL;
CREATE INDEX apprenticeship_previous ON apprenticeship (previous) WHERE previous IS NOT NULL;
CREATE UNIQUE INDEX apprenticeship_self ON apprenticeship (person, company) WHERE source = 'self';
CREATE INDEX apprenticeship_family ON apprenticeship (chamber_number, family_name);

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
CREATE INDEX report_book ON report (apprentice, year, week, state, kind, first_day, last_day, id, company, submitted_at, undo_until);
CREATE INDEX report_approver ON report (approver, submitted_at, id) WHERE approver <> '';
CREATE INDEX report_queue ON report (company, submitted_at, id) WHERE state IN ('submitted', 'checked');
CREATE INDEX report_waiting ON report (apprenticeship, submitted_at) WHERE state IN ('submitted', 'checked');
CREATE UNIQUE INDEX report_paper_once ON report (apprenticeship) WHERE kind = 'paper';
CREATE INDEX report_undo ON report (undo_until) WHERE undo_until IS NOT NULL;
CREATE INDEX report_paper ON report (apprentice, first_day, last_day) WHERE kind = 'paper';

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

CREATE TABLE week_pattern (
	person     TEXT PRIMARY KEY REFERENCES person (sub),
	days       TEXT NOT NULL,
	regional   TEXT NOT NULL DEFAULT '',    -- keys of holidays that hold where the person works, with a blank between
	land       TEXT NOT NULL DEFAULT '',    -- as the person said, if the apprenticeship does not say
	changed_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE planned_time (
	id         TEXT PRIMARY KEY,
	person     TEXT NOT NULL REFERENCES person (sub),
	attendance TEXT NOT NULL CHECK (attendance IN ('company', 'vacation', 'sick', 'school', 'course', 'free')),
	from_day   TEXT NOT NULL,
	until_day  TEXT NOT NULL,
	place      TEXT NOT NULL DEFAULT '',
	created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX planned_time_person ON planned_time (person, until_day);

CREATE TABLE lesson (
	person  TEXT NOT NULL REFERENCES person (sub),
	day     TEXT NOT NULL,
	starts  INTEGER NOT NULL,               -- minutes of the day
	ends    INTEGER NOT NULL,
	subject TEXT NOT NULL,
	place   TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (person, day, starts, subject)
);

CREATE TABLE snippet (
	id         TEXT PRIMARY KEY,
	person     TEXT NOT NULL REFERENCES person (sub),
	text       TEXT NOT NULL,
	created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX snippet_person ON snippet (person, id);

CREATE TABLE plan_section (
	id             TEXT PRIMARY KEY,
	chamber_number TEXT NOT NULL DEFAULT '', -- whose plan; empty: everybody's
	occupation     TEXT NOT NULL DEFAULT '', -- key of the list of occupations; empty: all of them
	position       INTEGER NOT NULL,         -- in the plan
	number         TEXT NOT NULL,            -- as the plan counts: A 2, 3.1
	title          TEXT NOT NULL,
	weeks          INTEGER NOT NULL DEFAULT 0, -- planned; 0: over the whole time, or not said
	keywords       TEXT NOT NULL DEFAULT '', -- beginnings of words, folded, with a blank between
	current        BOOLEAN NOT NULL DEFAULT TRUE
);
CREATE INDEX plan_section_plan ON plan_section (occupation, chamber_number, position);

CREATE TABLE attachment (
	id       TEXT PRIMARY KEY,
	report   TEXT NOT NULL REFERENCES report (id) ON DELETE CASCADE,
	name     TEXT NOT NULL,                 -- made safe, with the ending of its kind
	kind     TEXT NOT NULL CHECK (kind IN ('pdf', 'jpg', 'png', 'heic')), -- by content
	size     INTEGER NOT NULL,
	sha256   TEXT NOT NULL,                 -- of what is kept
	added_at TIMESTAMPTZ NOT NULL,
	added_by TEXT NOT NULL REFERENCES person (sub)
);
CREATE INDEX attachment_report ON attachment (report, id);
CREATE UNIQUE INDEX attachment_once ON attachment (report, sha256);
CREATE INDEX attachment_person ON attachment (added_by, size);

CREATE TABLE attachment_part (
	attachment TEXT NOT NULL REFERENCES attachment (id) ON DELETE CASCADE,
	number     INTEGER NOT NULL,
	bytes      BYTEA NOT NULL,
	PRIMARY KEY (attachment, number)
);

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

CREATE TABLE supervisor_setting (
	company    TEXT PRIMARY KEY REFERENCES company (id),
	way        TEXT NOT NULL CHECK (way IN ('confirmed', 'pin', 'account')),
	changed_at TIMESTAMPTZ NOT NULL,
	changed_by TEXT NOT NULL
);

CREATE TABLE supervisor_known (
	company      TEXT NOT NULL REFERENCES company (id),
	person       TEXT NOT NULL REFERENCES supervisor (person) ON DELETE CASCADE,
	confirmed_at TIMESTAMPTZ NOT NULL,
	confirmed_by TEXT NOT NULL,             -- a trainer or training admin
	PRIMARY KEY (company, person)
);
CREATE INDEX supervisor_known_person ON supervisor_known (person);

CREATE TABLE exam_step (
	apprenticeship TEXT NOT NULL REFERENCES apprenticeship (id) ON DELETE CASCADE,
	kind           TEXT NOT NULL CHECK (kind IN ('intermediate', 'registered')),
	day            TEXT NOT NULL,               -- of the exam, or of the entry in the register
	said_at        TIMESTAMPTZ NOT NULL,
	said_by        TEXT NOT NULL REFERENCES person (sub),
	confirmed_at   TIMESTAMPTZ,
	confirmed_by   TEXT REFERENCES person (sub),
	PRIMARY KEY (apprenticeship, kind)
);

CREATE TABLE share (
	id             TEXT PRIMARY KEY,
	person         TEXT NOT NULL REFERENCES person (sub),   -- whose book
	chamber_number TEXT NOT NULL,
	ground         TEXT NOT NULL CHECK (ground IN ('consent', 'admission', 'supervision')),
	state          TEXT NOT NULL CHECK (state IN ('asked', 'declined', 'open', 'ended')),
	reason         TEXT NOT NULL DEFAULT '',                -- what the chamber wrote
	asked_at       TIMESTAMPTZ,
	asked_by       TEXT REFERENCES person (sub),
	opened_at      TIMESTAMPTZ,
	opened_by      TEXT REFERENCES person (sub),
	until_at       TIMESTAMPTZ,                             -- open only so long, whatever the state says
	ended_at       TIMESTAMPTZ,
	ended_by       TEXT REFERENCES person (sub)
);
CREATE UNIQUE INDEX share_running ON share (person, chamber_number, state) WHERE state IN ('asked', 'open');
CREATE INDEX share_person ON share (person, id);
CREATE INDEX share_chamber ON share (chamber_number, id) WHERE state IN ('asked', 'open');
CREATE INDEX share_until ON share (until_at) WHERE state = 'open';
CREATE INDEX share_ended ON share (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE share_look (
	id     TEXT PRIMARY KEY,
	share  TEXT NOT NULL REFERENCES share (id) ON DELETE CASCADE,
	at     TIMESTAMPTZ NOT NULL,
	person TEXT NOT NULL REFERENCES person (sub),
	week   TEXT NOT NULL                                    -- 2026-W47; empty: the year
);
CREATE INDEX share_look_share ON share_look (share, id);

CREATE TABLE document (
	id             TEXT PRIMARY KEY,
	chamber_number TEXT NOT NULL,
	apprenticeship TEXT REFERENCES apprenticeship (id) ON DELETE CASCADE,
	company        TEXT REFERENCES company (id),             -- of one without apprenticeship
	kind           TEXT NOT NULL CHECK (kind IN ('confirmation', 'admission', 'certificate', 'letter')),
	title          TEXT NOT NULL,
	size           INTEGER NOT NULL,
	sha256         TEXT NOT NULL,
	created_at     TIMESTAMPTZ NOT NULL,
	created_by     TEXT REFERENCES person (sub),             -- NULL: the operator, by command
	withdrawn_at   TIMESTAMPTZ,
	CHECK ((apprenticeship IS NULL) <> (company IS NULL))
);
CREATE INDEX document_company ON document (company, id) WHERE company IS NOT NULL;
CREATE INDEX document_apprenticeship ON document (apprenticeship, id);
CREATE INDEX document_chamber ON document (chamber_number, id);

CREATE TABLE document_file (
	document TEXT PRIMARY KEY REFERENCES document (id) ON DELETE CASCADE,
	content  BYTEA NOT NULL
);

CREATE TABLE document_reading (
	id       TEXT PRIMARY KEY,
	document TEXT NOT NULL REFERENCES document (id) ON DELETE CASCADE,
	at       TIMESTAMPTZ NOT NULL,
	person   TEXT NOT NULL REFERENCES person (sub),
	side     TEXT NOT NULL CHECK (side IN ('apprentice', 'company', 'chamber'))
);
CREATE INDEX document_reading_document ON document_reading (document, id);

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
CREATE INDEX export_taken ON export (person, id) WHERE ordered_by <> person;
CREATE UNIQUE INDEX export_code ON export (code) WHERE code <> '';
CREATE INDEX export_expires ON export (expires_at) WHERE state <> 'gone';
CREATE INDEX export_gone ON export (expires_at) WHERE state = 'gone';

CREATE TABLE export_part (
	export TEXT NOT NULL REFERENCES export (id) ON DELETE CASCADE,
	part   INTEGER NOT NULL,
	body   BYTEA NOT NULL,
	PRIMARY KEY (export, part)
);

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

CREATE TABLE reminder_sent (
	person  TEXT NOT NULL REFERENCES person (sub),
	kind    TEXT NOT NULL,
	week    TEXT NOT NULL,                     -- of the chosen day, 2026-W47
	sent_at TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (person, kind, week)
);
CREATE INDEX reminder_sent_at ON reminder_sent (sent_at);

CREATE TABLE reminder_setting (
	company    TEXT PRIMARY KEY REFERENCES company (id),
	weeks      INTEGER NOT NULL,
	changed_at TIMESTAMPTZ NOT NULL,
	changed_by TEXT NOT NULL
);

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
