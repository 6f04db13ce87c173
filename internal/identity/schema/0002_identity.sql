-- +goose Up

-- Chambers and their member directories ------------------------------------

CREATE TABLE chamber (
	id            TEXT PRIMARY KEY,
	number        TEXT NOT NULL UNIQUE,     -- Kammernummer, three digits
	name          TEXT NOT NULL,
	short_name    TEXT NOT NULL,
	street        TEXT NOT NULL DEFAULT '',
	house_number  TEXT NOT NULL DEFAULT '',
	postcode      TEXT NOT NULL DEFAULT '',
	place         TEXT NOT NULL DEFAULT '',
	phone         TEXT NOT NULL DEFAULT '',
	hours         TEXT NOT NULL DEFAULT '', -- when the phone is answered
	email         TEXT NOT NULL DEFAULT '',
	website       TEXT NOT NULL DEFAULT '',
	letter_signer TEXT NOT NULL DEFAULT '',
	postcodes     TEXT NOT NULL DEFAULT '', -- postcode prefixes served beyond the public list, comma separated
	valid_from    TIMESTAMPTZ,
	valid_until   TIMESTAMPTZ,
	successor     TEXT REFERENCES chamber (id),
	created_at    TIMESTAMPTZ NOT NULL,
	version       INTEGER NOT NULL DEFAULT 1
);

CREATE TABLE directory_entry (
	id              TEXT PRIMARY KEY,
	chamber         TEXT NOT NULL REFERENCES chamber (id),
	ident_number    TEXT NOT NULL,          -- unique only together with the chamber
	name            TEXT NOT NULL,
	legal_form      TEXT NOT NULL,
	street          TEXT NOT NULL,
	house_number    TEXT NOT NULL,
	postcode        TEXT NOT NULL,
	place           TEXT NOT NULL,
	register_kind   TEXT NOT NULL,
	register_number TEXT NOT NULL,
	register_court  TEXT NOT NULL,
	management      TEXT NOT NULL,
	company_key     TEXT NOT NULL,          -- folded name, street, number, postcode
	content_hash    TEXT NOT NULL,
	imported_at     TIMESTAMPTZ NOT NULL,
	UNIQUE (chamber, ident_number)
);
-- Holds all that is asked of a postcode's companies: which is exactly this one, which are alike.
CREATE INDEX directory_near ON directory_entry (chamber, postcode, company_key, id);
CREATE INDEX directory_register ON directory_entry (chamber, register_number) WHERE register_number <> '';

-- People --------------------------------------------------------------------

CREATE TABLE account (
	id            TEXT PRIMARY KEY,
	salutation    TEXT NOT NULL CHECK (salutation IN ('', 'mr', 'ms')),
	title         TEXT NOT NULL,
	given_name    TEXT NOT NULL,
	family_name   TEXT NOT NULL,
	name_key      TEXT NOT NULL,            -- collation key made in Go, for sorting
	username      TEXT NOT NULL,
	username_key  TEXT NOT NULL,            -- folded; an account without a user name has its id here
	email         TEXT NOT NULL,
	email_key     TEXT NOT NULL,            -- folded
	password      TEXT NOT NULL,            -- PHC string
	password_at   TIMESTAMPTZ,              -- when it was replaced: what was granted before ends
	state         TEXT NOT NULL CHECK (state IN ('unconfirmed', 'active', 'locked', 'deleted')),
	lock_reason   TEXT NOT NULL DEFAULT '' CHECK (lock_reason IN ('', 'self', 'chamber', 'leaving', 'disavowed')),
	language      TEXT NOT NULL DEFAULT 'de',
	policy        TEXT NOT NULL DEFAULT '', -- key of the policy it signed up under; empty: the default
	chamber       TEXT NOT NULL DEFAULT '', -- "meine IHK": chosen at sign-up, or empty
	answers       TEXT NOT NULL DEFAULT '', -- JSON: what the sign-up profile asked beyond the columns
	name_source   TEXT NOT NULL DEFAULT 'self' CHECK (name_source IN ('self', 'contract', 'eid')),
	failures      INTEGER NOT NULL DEFAULT 0,
	paused_until  TIMESTAMPTZ,              -- no password is accepted until then
	code_failures INTEGER NOT NULL DEFAULT 0, -- wrong one-time codes, counted apart from passwords
	code_paused_until TIMESTAMPTZ,
	factor_offered_at TIMESTAMPTZ,          -- a second factor was offered, once (R199)
	created_at    TIMESTAMPTZ NOT NULL,
	confirmed_at  TIMESTAMPTZ,
	used_at       TIMESTAMPTZ,              -- last sign-in
	told_at       TIMESTAMPTZ,              -- that it goes for want of use
	locked_at     TIMESTAMPTZ,
	delete_at     TIMESTAMPTZ,              -- when the grace of a deletion ends
	version       INTEGER NOT NULL DEFAULT 1
);
-- An unconfirmed account reserves neither its user name nor its address.
CREATE UNIQUE INDEX account_username ON account (username_key) WHERE state <> 'unconfirmed';
CREATE INDEX account_username_unconfirmed ON account (username_key) WHERE state = 'unconfirmed';
-- One confirmed account per address; unconfirmed ones may not block the owner.
CREATE UNIQUE INDEX account_address ON account (email_key) WHERE state <> 'unconfirmed';
CREATE UNIQUE INDEX account_address_unconfirmed ON account (email_key) WHERE state = 'unconfirmed';
CREATE INDEX account_unconfirmed ON account (created_at) WHERE state = 'unconfirmed';
CREATE INDEX account_leaving ON account (delete_at) WHERE delete_at IS NOT NULL;
CREATE INDEX account_unused ON account (used_at, id) WHERE state <> 'unconfirmed';
-- Hashes of other products, until their owner signs in.
CREATE INDEX account_foreign ON account (password) WHERE substr(password, 1, 1) = '~';

-- Up to four further addresses (R043), used once confirmed.
CREATE TABLE account_email (
	account      TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	email        TEXT NOT NULL,
	email_key    TEXT NOT NULL,
	created_at   TIMESTAMPTZ NOT NULL,
	confirmed_at TIMESTAMPTZ,
	PRIMARY KEY (account, email_key)
);
CREATE UNIQUE INDEX account_email_confirmed ON account_email (email_key) WHERE confirmed_at IS NOT NULL;

-- One-time links with a code to type: exactly one is open per account, purpose and target.
CREATE TABLE account_link (
	id         TEXT PRIMARY KEY,
	account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	purpose    TEXT NOT NULL CHECK (purpose IN ('confirm', 'password', 'email', 'email_undo', 'unlock', 'keep', 'disavow')),
	target     TEXT NOT NULL DEFAULT '',    -- of several of a purpose: an address, a change, a mail
	token_hash TEXT NOT NULL UNIQUE,
	code_mac   TEXT NOT NULL,
	browser    TEXT NOT NULL,               -- hash of the browser or session that asked: only there the code works
	tries      INTEGER NOT NULL DEFAULT 0,
	state      TEXT NOT NULL CHECK (state IN ('open', 'used', 'superseded', 'void')),
	created_at TIMESTAMPTZ NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL,
	used_at    TIMESTAMPTZ
);
CREATE UNIQUE INDEX account_link_open ON account_link (account, purpose, target) WHERE state = 'open';
CREATE INDEX account_link_browser ON account_link (browser, purpose);
CREATE INDEX account_link_account ON account_link (account);
CREATE INDEX account_link_created ON account_link (created_at);

-- What was typed in step 1 of the sign-up while step 2 is open.
CREATE TABLE signup_draft (
	id         TEXT PRIMARY KEY,            -- hash of the cookie
	body       TEXT NOT NULL,               -- sealed JSON
	created_at TIMESTAMPTZ NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX signup_draft_expires ON signup_draft (expires_at);

CREATE TABLE terms (
	id         TEXT PRIMARY KEY,
	kind       TEXT NOT NULL,               -- "information_duties" …
	version    TEXT NOT NULL,
	title      TEXT NOT NULL,
	body       TEXT NOT NULL,               -- plain text, paragraphs, "# " headings
	required   BOOLEAN NOT NULL,
	valid_from TIMESTAMPTZ NOT NULL,
	UNIQUE (kind, version)
);
CREATE TABLE consent (
	account  TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	terms    TEXT NOT NULL REFERENCES terms (id),
	given_at TIMESTAMPTZ NOT NULL,
	withdrawn_at TIMESTAMPTZ,               -- optional ones can be taken back, and given again
	PRIMARY KEY (account, terms)
);

CREATE TABLE session (
	id           TEXT PRIMARY KEY,          -- also the sid claim
	token_hash   TEXT NOT NULL UNIQUE,
	account      TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	organization TEXT NOT NULL DEFAULT '',  -- chosen for this session, or empty
	mandate      TEXT NOT NULL DEFAULT '',  -- by which the person acts for it, or empty: as its member
	amr          TEXT NOT NULL,             -- RFC 8176, blank separated
	pending      BOOLEAN NOT NULL DEFAULT FALSE, -- the sign-in has steps to go: opens nothing but them
	next         TEXT NOT NULL DEFAULT '',  -- while pending: where the person was going
	auth_time    TIMESTAMPTZ NOT NULL,
	proved_at    TIMESTAMPTZ,               -- the last proof that allows changes (step-up)
	ip           TEXT NOT NULL,
	agent        TEXT NOT NULL,
	created_at   TIMESTAMPTZ NOT NULL,
	seen_at      TIMESTAMPTZ NOT NULL,
	ends_at      TIMESTAMPTZ NOT NULL,      -- absolute
	ended_at     TIMESTAMPTZ
);
CREATE INDEX session_account ON session (account);
CREATE INDEX session_ends ON session (ends_at);

-- The bell.
CREATE TABLE notice (
	id      TEXT PRIMARY KEY,
	account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	at      TIMESTAMPTZ NOT NULL,
	phrase  TEXT NOT NULL,                  -- phrase key, prefix "notice."
	args    TEXT NOT NULL,                  -- JSON array of strings
	href    TEXT NOT NULL,
	read_at TIMESTAMPTZ
);
CREATE INDEX notice_account ON notice (account, id);
CREATE INDEX notice_unread ON notice (account) WHERE read_at IS NULL;

-- Who works for a chamber, and who operates the portal (chamber is NULL).
CREATE TABLE staff (
	account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	chamber TEXT REFERENCES chamber (id),
	role    TEXT NOT NULL CHECK (role IN ('clerk', 'operator')),
	lead    BOOLEAN NOT NULL DEFAULT FALSE, -- a clerk who also settles team, settings and text blocks
	since   TIMESTAMPTZ NOT NULL,
	CHECK ((role = 'operator') = (chamber IS NULL))
);
CREATE UNIQUE INDEX staff_once ON staff (account, role, COALESCE(chamber, ''));

-- Companies -----------------------------------------------------------------

CREATE TABLE organization (
	id              TEXT PRIMARY KEY,
	chamber         TEXT NOT NULL REFERENCES chamber (id),
	ident_number    TEXT NOT NULL,
	name            TEXT NOT NULL,
	legal_form      TEXT NOT NULL,
	street          TEXT NOT NULL,
	house_number    TEXT NOT NULL,
	postcode        TEXT NOT NULL,
	place           TEXT NOT NULL,
	register_kind   TEXT NOT NULL,
	register_number TEXT NOT NULL,
	register_court  TEXT NOT NULL,
	management      TEXT NOT NULL,          -- to whom letters go
	company_key     TEXT NOT NULL,          -- folded, for joining and against doubles
	name_key        TEXT NOT NULL,          -- collation key made in Go, for sorting
	state           TEXT NOT NULL CHECK (state IN ('letter', 'active', 'locked', 'closed')),
	own_name        TEXT NOT NULL DEFAULT '', -- what its admins call it here (R065); empty: as the directory does
	own_street      TEXT NOT NULL DEFAULT '', -- the address they keep here, whole or not at all
	own_house_number TEXT NOT NULL DEFAULT '',
	own_postcode    TEXT NOT NULL DEFAULT '',
	own_place       TEXT NOT NULL DEFAULT '',
	phone           TEXT NOT NULL DEFAULT '',
	email           TEXT NOT NULL DEFAULT '',
	website         TEXT NOT NULL DEFAULT '',
	own_at          TIMESTAMPTZ,            -- when they last changed these
	locked_reason   TEXT NOT NULL DEFAULT '' CHECK (locked_reason IN ('', 'revoked', 'chamber')),
	locked_at       TIMESTAMPTZ,
	closes_at       TIMESTAMPTZ,            -- its admins close it: when the grace ends
	closed_at       TIMESTAMPTZ,
	reviewed_at     TIMESTAMPTZ,            -- when an admin last went through all roles
	review_told_at  TIMESTAMPTZ,            -- that it is due
	registered_by   TEXT NOT NULL REFERENCES account (id),
	created_at      TIMESTAMPTZ NOT NULL,
	activated_at    TIMESTAMPTZ,
	version         INTEGER NOT NULL DEFAULT 1
);
-- One company is registered once (R066).
CREATE UNIQUE INDEX organization_ident ON organization (chamber, ident_number) WHERE state <> 'closed';
CREATE INDEX organization_company ON organization (company_key);
CREATE INDEX organization_registered ON organization (registered_by);
CREATE INDEX organization_chamber ON organization (chamber, name_key, id);
CREATE INDEX organization_own ON organization (chamber, own_at) WHERE own_at IS NOT NULL;
CREATE INDEX organization_closing ON organization (closes_at) WHERE closes_at IS NOT NULL AND state <> 'closed';
CREATE INDEX organization_review ON organization (chamber, COALESCE(reviewed_at, activated_at)) WHERE state = 'active' AND review_told_at IS NULL;

-- What the chamber has seen of a company, and until when it holds (claim "evidence").
CREATE TABLE evidence (
	id           TEXT PRIMARY KEY,
	organization TEXT NOT NULL REFERENCES organization (id),
	method       TEXT NOT NULL CHECK (method IN ('letter', 'callback', 'documents', 'elster', 'directory')),
	source       TEXT NOT NULL DEFAULT '',  -- what was seen: number of a letter, a certificate, an extract
	registration TEXT NOT NULL DEFAULT '',
	clerk        TEXT NOT NULL,
	at           TIMESTAMPTZ NOT NULL,
	until        TIMESTAMPTZ
);
CREATE INDEX evidence_organization ON evidence (organization);

CREATE TABLE registration (
	id              TEXT PRIMARY KEY,
	reference       TEXT NOT NULL UNIQUE,   -- "R-7F3K-22M", for people to quote
	chamber         TEXT NOT NULL REFERENCES chamber (id),
	applicant       TEXT NOT NULL REFERENCES account (id),
	name            TEXT NOT NULL,
	legal_form      TEXT NOT NULL,
	street          TEXT NOT NULL,
	house_number    TEXT NOT NULL,
	postcode        TEXT NOT NULL,
	place           TEXT NOT NULL,
	ident_number    TEXT NOT NULL,
	register_kind   TEXT NOT NULL,
	register_number TEXT NOT NULL,
	register_court  TEXT NOT NULL,
	reason          TEXT NOT NULL,
	company_key     TEXT NOT NULL,
	state           TEXT NOT NULL CHECK (state IN ('submitted', 'asked_back', 'second', 'approved', 'refused', 'withdrawn')), -- second: one clerk said yes, another has to
	way             TEXT NOT NULL DEFAULT 'letter' CHECK (way IN ('letter', 'elster')), -- how the applicant wants to prove it (W05)
	certificate     TEXT NOT NULL DEFAULT '', -- elster: what the certificate says, JSON, sealed
	deviates        TEXT NOT NULL DEFAULT '', -- fields that differ from the best entry, comma separated: told to the applicant without its values
	score           INTEGER NOT NULL,       -- 0..100 against the best directory entry
	entry           TEXT NOT NULL,          -- that entry, or empty
	risk            INTEGER NOT NULL,       -- how closely a clerk should look: what is missing to the score, and more for each flag
	forwarded_from  TEXT NOT NULL DEFAULT '', -- chamber that passed it on
	first_clerk     TEXT NOT NULL DEFAULT '', -- second: who said yes first (four eyes)
	automatic       BOOLEAN NOT NULL DEFAULT FALSE, -- released by its score alone
	sampled         BOOLEAN NOT NULL DEFAULT FALSE, -- … and drawn for a look afterwards
	sampled_at      TIMESTAMPTZ,            -- when somebody had it
	clerk           TEXT NOT NULL DEFAULT '', -- who took it on
	answer          TEXT NOT NULL DEFAULT '', -- question or reason, as the applicant reads it
	evidence        TEXT NOT NULL DEFAULT '',
	organization    TEXT NOT NULL DEFAULT '',
	submitted_at    TIMESTAMPTZ NOT NULL,
	decided_at      TIMESTAMPTZ,
	version         INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX registration_pending ON registration (chamber, company_key) WHERE state IN ('submitted', 'asked_back', 'second');
CREATE UNIQUE INDEX registration_pending_ident ON registration (chamber, ident_number) WHERE state IN ('submitted', 'asked_back', 'second') AND ident_number <> '';
CREATE INDEX registration_queue ON registration (chamber, state, submitted_at, id);
CREATE INDEX registration_risk ON registration (chamber, state, risk, id);
CREATE INDEX registration_name ON registration (chamber, state, company_key, id);
CREATE INDEX registration_clerk ON registration (clerk, state, submitted_at, id);
CREATE INDEX registration_done ON registration (chamber, decided_at, id) WHERE decided_at IS NOT NULL;
CREATE INDEX registration_samples ON registration (chamber, id) WHERE sampled AND sampled_at IS NULL;
CREATE INDEX registration_applicant ON registration (applicant);
CREATE INDEX registration_company ON registration (chamber, company_key, id);
CREATE INDEX registration_entry ON registration (chamber, entry);
CREATE INDEX registration_decided ON registration (chamber, decided_at, id) WHERE decided_at IS NOT NULL;
CREATE INDEX registration_organization ON registration (organization) WHERE organization <> '';

-- Letters: the code is in clear only on paper.
CREATE TABLE letter_batch (
	id            TEXT PRIMARY KEY,
	reference     TEXT NOT NULL UNIQUE,
	chamber       TEXT NOT NULL REFERENCES chamber (id),
	printed_by    TEXT NOT NULL,
	printed_at    TIMESTAMPTZ NOT NULL,
	letters       INTEGER NOT NULL,
	dispatched_by TEXT NOT NULL DEFAULT '',
	dispatched_at TIMESTAMPTZ
);
CREATE INDEX letter_batch_chamber ON letter_batch (chamber, id);
CREATE INDEX letter_batch_unsent ON letter_batch (chamber) WHERE dispatched_at IS NULL;

CREATE TABLE letter (
	id           TEXT PRIMARY KEY,
	chamber      TEXT NOT NULL REFERENCES chamber (id),
	organization TEXT REFERENCES organization (id), -- to its management; or
	recovery     TEXT NOT NULL DEFAULT '',  -- to the person of this recovery
	kind         TEXT NOT NULL CHECK (kind IN ('activation', 'revocation', 'succession', 'recovery')),
	state        TEXT NOT NULL CHECK (state IN ('queued', 'printed', 'used', 'returned', 'void')),
	asked_by     TEXT NOT NULL DEFAULT '',  -- account
	batch        TEXT REFERENCES letter_batch (id),
	code_mac     TEXT NOT NULL DEFAULT '',
	tries        INTEGER NOT NULL DEFAULT 0,
	created_at   TIMESTAMPTZ NOT NULL,
	printed_at   TIMESTAMPTZ,
	expires_at   TIMESTAMPTZ,
	reminded_at  TIMESTAMPTZ,            -- that the code expires soon
	returned_why TEXT NOT NULL DEFAULT '', -- "unbekannt verzogen" …
	ended_at     TIMESTAMPTZ
);
-- One letter that counts per organization and kind: a reprint makes the old code void.
-- Of succession one waits at a time; those that are out hold beside it (decision 17).
CREATE UNIQUE INDEX letter_current ON letter (organization, kind) WHERE state = 'queued' OR state = 'printed' AND kind <> 'succession';
CREATE INDEX letter_queue ON letter (chamber, id) WHERE state = 'queued';
CREATE INDEX letter_of_batch ON letter (batch);
CREATE INDEX letter_returned ON letter (chamber, id) WHERE state = 'returned';
-- A revocation is found by its code alone.
CREATE UNIQUE INDEX letter_code ON letter (code_mac) WHERE kind = 'revocation' AND state = 'printed';
CREATE INDEX letter_organization ON letter (organization, kind, id);
CREATE INDEX letter_expires ON letter (expires_at) WHERE state = 'printed';
CREATE UNIQUE INDEX letter_recovery ON letter (recovery) WHERE recovery <> '' AND state IN ('queued', 'printed');
CREATE INDEX letter_recoveries ON letter (recovery, id) WHERE recovery <> '';

-- Applications, members and roles --------------------------------------------

CREATE TABLE application (
	id                         TEXT PRIMARY KEY,
	client_id                  TEXT NOT NULL UNIQUE,
	client_name                TEXT NOT NULL,
	client_uri                 TEXT NOT NULL DEFAULT '',
	manual_uri                 TEXT NOT NULL DEFAULT '', -- R007
	support                    TEXT NOT NULL DEFAULT '', -- who answers questions about it (R223)
	redirect_uris              TEXT NOT NULL,            -- JSON array, compared exactly
	post_logout_redirect_uris  TEXT NOT NULL DEFAULT '[]',
	backchannel_logout_uri     TEXT NOT NULL DEFAULT '',
	security_event_uri         TEXT NOT NULL DEFAULT '', -- where it hears that an account is gone (RFC 8935)
	token_endpoint_auth_method TEXT NOT NULL CHECK (token_endpoint_auth_method IN ('client_secret_basic', 'client_secret_post', 'none')),
	id_token_signed_response_alg TEXT NOT NULL CHECK (id_token_signed_response_alg IN ('ES256', 'RS256')),
	require_pkce               BOOLEAN NOT NULL,
	state                      TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
	created_at                 TIMESTAMPTZ NOT NULL,
	version                    INTEGER NOT NULL DEFAULT 1
);
-- The role catalogue that an application declares; none: it serves every account.
CREATE TABLE application_role (
	application    TEXT NOT NULL REFERENCES application (id) ON DELETE CASCADE,
	role           TEXT NOT NULL,           -- key, see glossary
	position       INTEGER NOT NULL,
	name_de        TEXT NOT NULL,
	name_en        TEXT NOT NULL,
	description_de TEXT NOT NULL,
	description_en TEXT NOT NULL,
	requires       TEXT NOT NULL DEFAULT '' CHECK (requires IN ('', 'mfa', 'phr')), -- acr that a holder must reach
	exclusive_with TEXT NOT NULL DEFAULT '', -- keys of roles that one person cannot hold beside it in one organization, blank separated
	invited        BOOLEAN NOT NULL DEFAULT FALSE, -- ticked when somebody is invited
	retired_at     TIMESTAMPTZ,             -- declared no more; decided requests still name it
	PRIMARY KEY (application, role)
);

CREATE TABLE membership (
	id           TEXT PRIMARY KEY,
	organization TEXT NOT NULL REFERENCES organization (id),
	account      TEXT NOT NULL REFERENCES account (id),
	admin        BOOLEAN NOT NULL DEFAULT FALSE, -- the role organization_admin
	site         TEXT NOT NULL DEFAULT '',  -- where the person works, or empty: the head office
	apprentice_number TEXT NOT NULL DEFAULT '', -- as the company says (R216); opens no account
	trainer_number    TEXT NOT NULL DEFAULT '',
	until        TIMESTAMPTZ,               -- the membership ends by itself; never that of an admin
	told_at      TIMESTAMPTZ,               -- that it ends soon
	reviewed_at  TIMESTAMPTZ,               -- when an admin last said "keep"
	away_from    TIMESTAMPTZ,               -- an admin is absent: requests go to the deputy
	away_until   TIMESTAMPTZ,
	deputy       TEXT NOT NULL DEFAULT '',  -- account, another admin
	since        TIMESTAMPTZ NOT NULL,
	ended_at     TIMESTAMPTZ,
	name_key     TEXT NOT NULL DEFAULT '',  -- the account's, kept here while current: lists of any length read one page
	words        TEXT NOT NULL DEFAULT '',  -- folded name and user name, for searching
	CHECK (NOT admin OR until IS NULL)
);
CREATE INDEX membership_names ON membership (organization, name_key, id) WHERE ended_at IS NULL;
CREATE INDEX membership_since ON membership (organization, since, id) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX membership_current ON membership (organization, account) WHERE ended_at IS NULL;
CREATE INDEX membership_account ON membership (account); -- whole: purging accounts looks here, too
CREATE INDEX membership_until ON membership (until) WHERE until IS NOT NULL AND ended_at IS NULL;
CREATE INDEX membership_admins ON membership (organization) WHERE admin AND ended_at IS NULL;

CREATE TABLE role_grant (
	membership  TEXT NOT NULL REFERENCES membership (id) ON DELETE CASCADE,
	application TEXT NOT NULL,
	role        TEXT NOT NULL,
	site        TEXT NOT NULL DEFAULT '',   -- holds at this site only; empty: in the whole organization
	starts_at   TIMESTAMPTZ,                -- holds from then on
	ends_at     TIMESTAMPTZ,                -- and until then
	told_at     TIMESTAMPTZ,                -- that it ends soon
	granted_by  TEXT NOT NULL,
	granted_at  TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (membership, application, role, site),
	FOREIGN KEY (application, role) REFERENCES application_role (application, role)
);
CREATE INDEX role_grant_ends ON role_grant (ends_at) WHERE ends_at IS NOT NULL;
CREATE INDEX role_grant_role ON role_grant (application, role);

-- A person asks an organization: to belong to it (join) or for roles (role).
CREATE TABLE request (
	id            TEXT PRIMARY KEY,
	kind          TEXT NOT NULL CHECK (kind IN ('join', 'role')),
	organization  TEXT NOT NULL REFERENCES organization (id),
	applicant     TEXT NOT NULL REFERENCES account (id),
	invitation    TEXT NOT NULL DEFAULT '', -- it came of an accepted invitation (R115)
	site          TEXT NOT NULL DEFAULT '',
	reason        TEXT NOT NULL,
	state         TEXT NOT NULL CHECK (state IN ('open', 'claimed', 'approved', 'denied', 'withdrawn', 'expired')),
	claimed_by    TEXT NOT NULL DEFAULT '',
	claimed_until TIMESTAMPTZ,              -- a lease
	due_at        TIMESTAMPTZ,            -- when the next of these happens if nobody answers
	reminded_at   TIMESTAMPTZ,            -- the admins were reminded
	deputies_at   TIMESTAMPTZ,            -- all other admins and deputies were told
	chamber_at    TIMESTAMPTZ,            -- the chamber was told that nobody answers
	answer        TEXT NOT NULL DEFAULT '', -- why it was denied, as the applicant reads it
	submitted_at  TIMESTAMPTZ NOT NULL,
	decided_at    TIMESTAMPTZ,
	decided_by    TEXT NOT NULL DEFAULT ''
);
-- One undecided request of a kind per person and organization.
CREATE UNIQUE INDEX request_pending ON request (organization, applicant, kind) WHERE state IN ('open', 'claimed');
CREATE INDEX request_queue ON request (organization, state, kind, submitted_at, id) WHERE state IN ('open', 'claimed');
CREATE INDEX request_due ON request (due_at) WHERE due_at IS NOT NULL AND state IN ('open', 'claimed');
CREATE INDEX request_chamber ON request (chamber_at) WHERE chamber_at IS NOT NULL AND state IN ('open', 'claimed');
CREATE INDEX request_claimed ON request (claimed_until) WHERE state = 'claimed';
CREATE INDEX request_applicant ON request (applicant, id);

CREATE TABLE request_role (
	request     TEXT NOT NULL REFERENCES request (id) ON DELETE CASCADE,
	application TEXT NOT NULL,
	role        TEXT NOT NULL,
	PRIMARY KEY (request, application, role),
	FOREIGN KEY (application, role) REFERENCES application_role (application, role)
);

-- OpenID Connect --------------------------------------------------------------

CREATE TABLE signing_key (
	kid        TEXT PRIMARY KEY,
	alg        TEXT NOT NULL CHECK (alg IN ('ES256', 'RS256')),
	private    TEXT NOT NULL,               -- sealed PKCS #8
	created_at TIMESTAMPTZ NOT NULL,
	retired_at TIMESTAMPTZ
);
-- One key signs with an algorithm, however many nodes make one at once.
CREATE UNIQUE INDEX signing_key_active ON signing_key (alg) WHERE retired_at IS NULL;

-- A grant is what one authorization gave: its code, and all tokens that came of it.
CREATE TABLE oidc_grant (
	id             TEXT PRIMARY KEY,
	application    TEXT NOT NULL REFERENCES application (id) ON DELETE CASCADE,
	account        TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	session        TEXT NOT NULL,           -- may be gone: offline_access outlives it
	organization   TEXT NOT NULL DEFAULT '',
	mandate        TEXT NOT NULL DEFAULT '', -- by which the person acts for the organization
	scope          TEXT NOT NULL,
	nonce          TEXT NOT NULL,
	redirect_uri   TEXT NOT NULL,
	code_hash      TEXT NOT NULL,           -- found by id, which the code carries
	code_challenge TEXT NOT NULL,           -- S256, or empty
	auth_time      TIMESTAMPTZ NOT NULL,
	acr            TEXT NOT NULL,
	amr            TEXT NOT NULL,
	created_at     TIMESTAMPTZ NOT NULL,
	code_expires_at TIMESTAMPTZ NOT NULL,
	code_used_at   TIMESTAMPTZ,
	access_hash    TEXT NOT NULL DEFAULT '', -- of the access token that came with the code; later ones are in oidc_token
	access_expires_at TIMESTAMPTZ,
	revoked_at     TIMESTAMPTZ
);
CREATE INDEX oidc_grant_session ON oidc_grant (session, application);
CREATE INDEX oidc_grant_account ON oidc_grant (account);
CREATE INDEX oidc_grant_expires ON oidc_grant (code_expires_at);

CREATE TABLE oidc_token (
	token_hash TEXT PRIMARY KEY,
	oidc_grant TEXT NOT NULL REFERENCES oidc_grant (id) ON DELETE CASCADE,
	kind       TEXT NOT NULL CHECK (kind IN ('access', 'refresh')),
	expires_at TIMESTAMPTZ NOT NULL,
	used_at    TIMESTAMPTZ,                 -- refresh: rotated
	successor  TEXT NOT NULL DEFAULT ''     -- refresh: hash of the next one
);
CREATE INDEX oidc_token_grant ON oidc_token (oidc_grant);
CREATE INDEX oidc_token_expires ON oidc_token (expires_at);
