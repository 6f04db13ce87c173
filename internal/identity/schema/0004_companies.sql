-- +goose Up

-- What a chamber decided about companies and its desk (package chamber, Settings).
CREATE TABLE chamber_setting (
	chamber    TEXT PRIMARY KEY REFERENCES chamber (id),
	body       TEXT NOT NULL,               -- JSON
	version    INTEGER NOT NULL DEFAULT 1,
	changed_at TIMESTAMPTZ NOT NULL,
	changed_by TEXT NOT NULL
);

-- Words that clerks write often.
CREATE TABLE text_block (
	id         TEXT PRIMARY KEY,
	chamber    TEXT NOT NULL REFERENCES chamber (id),
	purpose    TEXT NOT NULL CHECK (purpose IN ('question', 'refusal', 'forward', 'name', 'recovery', 'mandate')),
	title      TEXT NOT NULL,
	body       TEXT NOT NULL,
	position   INTEGER NOT NULL,
	version    INTEGER NOT NULL DEFAULT 1,
	changed_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX text_block_chamber ON text_block (chamber, purpose, position, id);

-- Branches and training sites below a head office (W25).
CREATE TABLE site (
	id           TEXT PRIMARY KEY,
	organization TEXT NOT NULL REFERENCES organization (id),
	chamber      TEXT NOT NULL REFERENCES chamber (id),
	ident_number TEXT NOT NULL DEFAULT '',  -- a branch that the directory knows by its own number
	name         TEXT NOT NULL,
	street       TEXT NOT NULL,
	house_number TEXT NOT NULL,
	postcode     TEXT NOT NULL,
	place        TEXT NOT NULL,
	state        TEXT NOT NULL CHECK (state IN ('asked', 'released', 'refused', 'closed')), -- the chamber releases it to the head office (R300)
	answer       TEXT NOT NULL DEFAULT '',
	clerk        TEXT NOT NULL DEFAULT '',
	name_key     TEXT NOT NULL,
	created_at   TIMESTAMPTZ NOT NULL,
	decided_at   TIMESTAMPTZ,
	closed_at    TIMESTAMPTZ,
	version      INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX site_organization ON site (organization, name_key, id);
CREATE INDEX site_asked ON site (chamber, id) WHERE state = 'asked';

-- Somebody typed the organization password of a letter (R102) and is to become an
-- admin: at once where there is none, else when the present ones had their say.
CREATE TABLE succession (
	id           TEXT PRIMARY KEY,
	organization TEXT NOT NULL REFERENCES organization (id),
	chamber      TEXT NOT NULL REFERENCES chamber (id),
	account      TEXT NOT NULL REFERENCES account (id),
	state        TEXT NOT NULL CHECK (state IN ('waiting', 'objected', 'done', 'stopped')),
	objection    TEXT NOT NULL DEFAULT '',  -- of an admin; then a clerk decides
	objected_by  TEXT NOT NULL DEFAULT '',
	answer       TEXT NOT NULL DEFAULT '',  -- why the chamber stopped it
	clerk        TEXT NOT NULL DEFAULT '',
	created_at   TIMESTAMPTZ NOT NULL,
	due_at       TIMESTAMPTZ NOT NULL,
	ended_at     TIMESTAMPTZ
);
CREATE UNIQUE INDEX succession_open ON succession (organization) WHERE state IN ('waiting', 'objected');
CREATE INDEX succession_due ON succession (due_at) WHERE state = 'waiting';
CREATE INDEX succession_objected ON succession (chamber, id) WHERE state = 'objected';
CREATE INDEX succession_account ON succession (account);

-- An organization invites a person (R103–R117).
CREATE TABLE invitation (
	id            TEXT PRIMARY KEY,
	organization  TEXT NOT NULL REFERENCES organization (id),
	roster        TEXT NOT NULL DEFAULT '', -- the list it came with, or empty
	email         TEXT NOT NULL,            -- empty: a slip of paper brings the code
	email_key     TEXT NOT NULL,            -- folded; on paper "paper/" and number or name: a list sent twice doubles nobody
	given_name    TEXT NOT NULL DEFAULT '',
	family_name   TEXT NOT NULL DEFAULT '',
	language      TEXT NOT NULL DEFAULT 'de',
	admin         BOOLEAN NOT NULL DEFAULT FALSE,
	site          TEXT NOT NULL DEFAULT '',
	apprentice_number TEXT NOT NULL DEFAULT '',
	trainer_number    TEXT NOT NULL DEFAULT '',
	message       TEXT NOT NULL DEFAULT '',
	state         TEXT NOT NULL CHECK (state IN ('sent', 'undeliverable', 'accepted', 'declined', 'expired', 'revoked')),
	token_hash    TEXT NOT NULL UNIQUE,     -- of the link in the mail
	code_mac      TEXT NOT NULL DEFAULT '', -- of the code on the slip
	account       TEXT NOT NULL DEFAULT '', -- who accepted
	invited_by    TEXT NOT NULL,
	created_at    TIMESTAMPTZ NOT NULL,
	sent_at       TIMESTAMPTZ,              -- the last mail
	reminders     INTEGER NOT NULL DEFAULT 0,
	expires_at    TIMESTAMPTZ NOT NULL,
	ended_at      TIMESTAMPTZ,
	failure       TEXT NOT NULL DEFAULT '', -- undeliverable: what the mail server said
	words         TEXT NOT NULL DEFAULT ''  -- folded name, address and numbers, for searching
);
CREATE UNIQUE INDEX invitation_open ON invitation (organization, email_key) WHERE state IN ('sent', 'undeliverable') AND email_key <> '';
CREATE UNIQUE INDEX invitation_code ON invitation (code_mac) WHERE code_mac <> '';
CREATE INDEX invitation_list ON invitation (organization, id);
CREATE INDEX invitation_state ON invitation (organization, state, id);
CREATE INDEX invitation_roster ON invitation (roster, id) WHERE roster <> '';
CREATE INDEX invitation_ended ON invitation (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX invitation_email ON invitation (email_key) WHERE state = 'sent';
CREATE INDEX invitation_ending ON invitation (organization, expires_at) WHERE state IN ('sent', 'undeliverable');
CREATE INDEX invitation_expires ON invitation (expires_at) WHERE state IN ('sent', 'undeliverable');
CREATE INDEX invitation_account ON invitation (account) WHERE account <> '';

CREATE TABLE invitation_role (
	invitation  TEXT NOT NULL REFERENCES invitation (id) ON DELETE CASCADE,
	application TEXT NOT NULL,
	role        TEXT NOT NULL,
	PRIMARY KEY (invitation, application, role),
	FOREIGN KEY (application, role) REFERENCES application_role (application, role)
);

-- A list of people to invite: uploaded or pasted, mended row by row, then sent.
CREATE TABLE roster (
	id           TEXT PRIMARY KEY,
	organization TEXT NOT NULL REFERENCES organization (id),
	name         TEXT NOT NULL,             -- of the file, or when it was pasted
	state        TEXT NOT NULL CHECK (state IN ('draft', 'sending', 'done', 'dropped')),
	columns      TEXT NOT NULL,             -- JSON: which column is what
	header       TEXT NOT NULL,             -- JSON: the first row
	defaults     TEXT NOT NULL DEFAULT '{}', -- JSON: roles, site, days for rows that say nothing
	total        INTEGER NOT NULL,
	done         INTEGER NOT NULL DEFAULT 0,
	created_by   TEXT NOT NULL,
	created_at   TIMESTAMPTZ NOT NULL,
	sent_at      TIMESTAMPTZ,
	done_at      TIMESTAMPTZ,
	expires_at   TIMESTAMPTZ NOT NULL,      -- a draft that nobody sends is forgotten
	version      INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX roster_organization ON roster (organization, id);
CREATE INDEX roster_expires ON roster (expires_at);

CREATE TABLE roster_row (
	roster     TEXT NOT NULL REFERENCES roster (id) ON DELETE CASCADE,
	line       INTEGER NOT NULL,            -- of the file, counted from 1
	cells      TEXT NOT NULL,               -- JSON array, as it was
	state      TEXT NOT NULL CHECK (state IN ('ok', 'bad', 'left_out', 'done', 'failed')),
	problem    TEXT NOT NULL DEFAULT '',    -- JSON
	invitation TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (roster, line)
);
CREATE INDEX roster_row_state ON roster_row (roster, state, line);

-- Somebody may act for an organization (R295–R303): who, for whom, in which
-- roles, how long. The representative is a person, or an organization whose
-- admins say which of their people.
CREATE TABLE mandate (
	id             TEXT PRIMARY KEY,
	reference      TEXT NOT NULL UNIQUE,    -- "V-7F3K-22M"
	chamber        TEXT NOT NULL REFERENCES chamber (id), -- of the principal: approves, where it wants to
	principal      TEXT NOT NULL REFERENCES organization (id), -- for whom
	representative TEXT NOT NULL DEFAULT '', -- organization, or empty: a person
	account        TEXT NOT NULL DEFAULT '', -- that person, once known
	email          TEXT NOT NULL DEFAULT '', -- proposed to, while nobody accepted
	email_key      TEXT NOT NULL DEFAULT '',
	token_hash     TEXT NOT NULL DEFAULT '',
	note           TEXT NOT NULL DEFAULT '',
	state          TEXT NOT NULL CHECK (state IN ('proposed', 'accepted', 'active', 'declined', 'refused', 'revoked', 'ended')), -- accepted: the chamber has to approve
	proposed_by    TEXT NOT NULL,
	proposed_side  TEXT NOT NULL CHECK (proposed_side IN ('principal', 'representative')),
	proposed_at    TIMESTAMPTZ NOT NULL,
	accepted_by    TEXT NOT NULL DEFAULT '',
	accepted_at    TIMESTAMPTZ,
	clerk          TEXT NOT NULL DEFAULT '',
	approved_at    TIMESTAMPTZ,
	answer         TEXT NOT NULL DEFAULT '',
	starts_at      TIMESTAMPTZ NOT NULL,
	ends_at        TIMESTAMPTZ NOT NULL,
	told_at        TIMESTAMPTZ,             -- that it ends soon
	ended_by       TEXT NOT NULL DEFAULT '',
	ended_at       TIMESTAMPTZ,
	version        INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX mandate_principal ON mandate (principal, id);
CREATE INDEX mandate_representative ON mandate (representative, id) WHERE representative <> '';
CREATE INDEX mandate_account ON mandate (account) WHERE account <> '';
CREATE INDEX mandate_email ON mandate (email_key) WHERE state = 'proposed' AND email_key <> '';
CREATE INDEX mandate_proposed ON mandate (proposed_at) WHERE state = 'proposed';
CREATE INDEX mandate_accepted ON mandate (chamber, accepted_at, id) WHERE state = 'accepted';
CREATE INDEX mandate_decided ON mandate (chamber, id) WHERE clerk <> '';
CREATE INDEX mandate_ends ON mandate (ends_at) WHERE state IN ('proposed', 'accepted', 'active');
CREATE UNIQUE INDEX mandate_token ON mandate (token_hash) WHERE token_hash <> '';

CREATE TABLE mandate_role (
	mandate     TEXT NOT NULL REFERENCES mandate (id) ON DELETE CASCADE,
	application TEXT NOT NULL,
	role        TEXT NOT NULL,
	PRIMARY KEY (mandate, application, role),
	FOREIGN KEY (application, role) REFERENCES application_role (application, role)
);

-- Whom a representing organization lets act.
CREATE TABLE mandate_person (
	mandate TEXT NOT NULL REFERENCES mandate (id) ON DELETE CASCADE,
	account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	since   TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (mandate, account)
);
CREATE INDEX mandate_person_account ON mandate_person (account);

-- Client secrets: two at most are active, so that they can be exchanged without a pause.
CREATE TABLE application_secret (
	id          TEXT PRIMARY KEY,
	application TEXT NOT NULL REFERENCES application (id) ON DELETE CASCADE,
	secret_hash TEXT NOT NULL,
	hint        TEXT NOT NULL,              -- its last characters, to tell two apart
	created_by  TEXT NOT NULL,
	created_at  TIMESTAMPTZ NOT NULL,
	expires_at  TIMESTAMPTZ,
	used_at     TIMESTAMPTZ,                -- to the day
	revoked_at  TIMESTAMPTZ
);
CREATE INDEX application_secret_application ON application_secret (application, id);

-- What happened at an application's door, for its operator; kept for thirty days.
CREATE TABLE application_event (
	id          TEXT PRIMARY KEY,
	application TEXT NOT NULL REFERENCES application (id) ON DELETE CASCADE,
	at          TIMESTAMPTZ NOT NULL,
	outcome     TEXT NOT NULL,              -- "authorize.ok", "token.invalid_client" …
	account     TEXT NOT NULL DEFAULT '',
	reason      TEXT NOT NULL DEFAULT '',   -- phrase key
	detail      TEXT NOT NULL DEFAULT ''    -- JSON, no secrets
);
CREATE INDEX application_event_application ON application_event (application, id);
CREATE INDEX application_event_at ON application_event (at);

-- What clerks search by (package search): folded words, kept up from the record of deeds.
CREATE TABLE organization_word (
	organization TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
	chamber      TEXT NOT NULL,
	word         TEXT NOT NULL,
	PRIMARY KEY (organization, chamber, word)
);
CREATE INDEX organization_word_find ON organization_word (chamber, word, organization);
CREATE INDEX organization_state ON organization (chamber, state, name_key, id);
-- People who have to do with a chamber: its clerks find them and nobody else.
CREATE TABLE chamber_person (
	chamber  TEXT NOT NULL REFERENCES chamber (id),
	account  TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	name_key TEXT NOT NULL,
	state    TEXT NOT NULL,                 -- of the account
	PRIMARY KEY (account, chamber)
);
CREATE INDEX chamber_person_order ON chamber_person (chamber, name_key, account);
CREATE INDEX chamber_person_state ON chamber_person (chamber, state, name_key, account);
CREATE TABLE chamber_person_word (
	account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	chamber TEXT NOT NULL,
	word    TEXT NOT NULL,
	PRIMARY KEY (account, chamber, word)
);
CREATE INDEX chamber_person_word_find ON chamber_person_word (chamber, word, account);
CREATE TABLE search_progress (
	what TEXT PRIMARY KEY,
	upto TEXT NOT NULL,                     -- the last id that is in
	done BOOLEAN NOT NULL                   -- what was there before is in
);

-- Figures of a chamber by month (package tally), made once an hour.
CREATE TABLE tally (
	chamber TEXT NOT NULL REFERENCES chamber (id),
	month   TEXT NOT NULL,                  -- "2026-11"
	figure  TEXT NOT NULL,                  -- "registrations.submitted" …
	amount  BIGINT NOT NULL,
	PRIMARY KEY (chamber, month, figure)
);
CREATE INDEX registration_submitted ON registration (chamber, submitted_at);
CREATE INDEX organization_activated ON organization (chamber, activated_at) WHERE activated_at IS NOT NULL;
CREATE INDEX letter_printed ON letter (chamber, printed_at) WHERE printed_at IS NOT NULL;
-- A chamber's record by deed and by number: rows without a chamber (sign-ins) cost nothing.
CREATE INDEX audit_chamber_event ON audit (chamber, event, id) WHERE chamber <> '';
CREATE INDEX audit_chamber_request ON audit (chamber, request, id) WHERE chamber <> '';
