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
CREATE INDEX audit_chamber_event ON audit (chamber, event, id) WHERE chamber <> '';
CREATE INDEX audit_chamber_request ON audit (chamber, request, id) WHERE chamber <> '';

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
CREATE INDEX directory_near ON directory_entry (chamber, postcode, company_key, id);
CREATE INDEX directory_register ON directory_entry (chamber, register_number) WHERE register_number <> '';

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
CREATE UNIQUE INDEX account_username ON account (username_key) WHERE state <> 'unconfirmed';
CREATE INDEX account_username_unconfirmed ON account (username_key) WHERE state = 'unconfirmed';
CREATE UNIQUE INDEX account_address ON account (email_key) WHERE state <> 'unconfirmed';
CREATE UNIQUE INDEX account_address_unconfirmed ON account (email_key) WHERE state = 'unconfirmed';
CREATE INDEX account_unconfirmed ON account (created_at) WHERE state = 'unconfirmed';
CREATE INDEX account_leaving ON account (delete_at) WHERE delete_at IS NOT NULL;
CREATE INDEX account_unused ON account (used_at, id) WHERE state <> 'unconfirmed';
CREATE INDEX account_foreign ON account (password) WHERE substr(password, 1, 1) = '~';
CREATE INDEX account_told ON account (told_at, id) WHERE told_at IS NOT NULL;

CREATE TABLE account_email (
	account      TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	email        TEXT NOT NULL,
	email_key    TEXT NOT NULL,
	created_at   TIMESTAMPTZ NOT NULL,
	confirmed_at TIMESTAMPTZ,
	PRIMARY KEY (account, email_key)
);
CREATE UNIQUE INDEX account_email_confirmed ON account_email (email_key) WHERE confirmed_at IS NOT NULL;

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

CREATE TABLE staff (
	account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	chamber TEXT REFERENCES chamber (id),
	role    TEXT NOT NULL CHECK (role IN ('clerk', 'operator')),
	lead    BOOLEAN NOT NULL DEFAULT FALSE, -- a clerk who also settles team, settings and text blocks
	since   TIMESTAMPTZ NOT NULL,
	CHECK ((role = 'operator') = (chamber IS NULL))
);
CREATE UNIQUE INDEX staff_once ON staff (account, role, COALESCE(chamber, ''));

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
CREATE UNIQUE INDEX organization_ident ON organization (chamber, ident_number) WHERE state <> 'closed';
CREATE INDEX organization_company ON organization (company_key);
CREATE INDEX organization_registered ON organization (registered_by);
CREATE INDEX organization_chamber ON organization (chamber, name_key, id);
CREATE INDEX organization_own ON organization (chamber, own_at) WHERE own_at IS NOT NULL;
CREATE INDEX organization_closing ON organization (closes_at) WHERE closes_at IS NOT NULL AND state <> 'closed';
CREATE INDEX organization_review ON organization (chamber, COALESCE(reviewed_at, activated_at)) WHERE state = 'active' AND review_told_at IS NULL;
CREATE INDEX organization_state ON organization (chamber, state, name_key, id);
CREATE INDEX organization_activated ON organization (chamber, activated_at) WHERE activated_at IS NOT NULL;

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
CREATE INDEX registration_submitted ON registration (chamber, submitted_at);

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
CREATE UNIQUE INDEX letter_current ON letter (organization, kind) WHERE state = 'queued' OR state = 'printed' AND kind <> 'succession';
CREATE INDEX letter_queue ON letter (chamber, id) WHERE state = 'queued';
CREATE INDEX letter_of_batch ON letter (batch);
CREATE INDEX letter_returned ON letter (chamber, id) WHERE state = 'returned';
CREATE UNIQUE INDEX letter_code ON letter (code_mac) WHERE kind = 'revocation' AND state = 'printed';
CREATE INDEX letter_organization ON letter (organization, kind, id);
CREATE INDEX letter_expires ON letter (expires_at) WHERE state = 'printed';
CREATE UNIQUE INDEX letter_recovery ON letter (recovery) WHERE recovery <> '' AND state IN ('queued', 'printed');
CREATE INDEX letter_recoveries ON letter (recovery, id) WHERE recovery <> '';
CREATE INDEX letter_printed ON letter (chamber, printed_at) WHERE printed_at IS NOT NULL;

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
CREATE INDEX membership_account ON membership (account);
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

CREATE TABLE signing_key (
	kid        TEXT PRIMARY KEY,
	alg        TEXT NOT NULL CHECK (alg IN ('ES256', 'RS256')),
	private    TEXT NOT NULL,               -- sealed PKCS #8
	created_at TIMESTAMPTZ NOT NULL,
	retired_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX signing_key_active ON signing_key (alg) WHERE retired_at IS NULL;

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

CREATE TABLE policy (
	key        TEXT PRIMARY KEY,            -- appears in addresses: "lux"
	name       TEXT NOT NULL,
	chamber    TEXT REFERENCES chamber (id),
	is_default BOOLEAN NOT NULL DEFAULT FALSE,
	body       TEXT NOT NULL,               -- JSON, see package policy
	version    INTEGER NOT NULL DEFAULT 1,
	changed_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX policy_default ON policy (is_default) WHERE is_default;
CREATE INDEX policy_chamber ON policy (chamber);

CREATE TABLE account_number (
	account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	kind       TEXT NOT NULL CHECK (kind IN ('apprentice', 'trainer', 'member')),
	chamber    TEXT NOT NULL REFERENCES chamber (id),
	number     TEXT NOT NULL,
	number_key TEXT NOT NULL,               -- folded
	since      TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (chamber, kind, number_key)
);
CREATE INDEX account_number_account ON account_number (account);
CREATE INDEX account_number_key ON account_number (number_key);

CREATE TABLE registration_code (
	id         TEXT PRIMARY KEY,
	code_mac   TEXT NOT NULL UNIQUE,
	chamber    TEXT NOT NULL REFERENCES chamber (id),
	kind       TEXT NOT NULL CHECK (kind IN ('apprentice', 'trainer', 'member')),
	number     TEXT NOT NULL,
	created_at TIMESTAMPTZ NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL,
	account    TEXT NOT NULL DEFAULT '',    -- who used it
	used_at    TIMESTAMPTZ
);
CREATE INDEX registration_code_expires ON registration_code (expires_at);

CREATE TABLE captcha (
	id         TEXT PRIMARY KEY,
	answer     TEXT NOT NULL,               -- sealed
	browser    TEXT NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL,
	used_at    TIMESTAMPTZ
);
CREATE INDEX captcha_expires ON captcha (expires_at);

CREATE TABLE factor (
	id            TEXT PRIMARY KEY,
	account       TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	kind          TEXT NOT NULL CHECK (kind IN ('mail', 'totp', 'passkey')),
	name          TEXT NOT NULL,            -- as its owner calls it
	state         TEXT NOT NULL CHECK (state IN ('pending', 'wanted', 'active')), -- wanted: to be set up at the next sign-in (R165, R167)
	secret        TEXT NOT NULL DEFAULT '', -- totp: sealed; passkey: the credential, JSON
	credential    TEXT,                     -- passkey: its id, base64url
	last_step     BIGINT NOT NULL DEFAULT 0, -- totp: the last step that was accepted
	session       TEXT NOT NULL DEFAULT '', -- that began to set it up
	created_at    TIMESTAMPTZ NOT NULL,
	confirmed_at  TIMESTAMPTZ,
	used_at       TIMESTAMPTZ
);
CREATE INDEX factor_account ON factor (account);
CREATE UNIQUE INDEX factor_credential ON factor (credential) WHERE credential IS NOT NULL;
CREATE UNIQUE INDEX factor_mail ON factor (account) WHERE kind = 'mail';
CREATE INDEX factor_pending ON factor (created_at) WHERE state = 'pending';

CREATE TABLE factor_code (
	id         TEXT PRIMARY KEY,
	account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	session    TEXT NOT NULL,
	code_mac   TEXT NOT NULL,
	tries      INTEGER NOT NULL DEFAULT 0,
	state      TEXT NOT NULL CHECK (state IN ('open', 'used', 'superseded')),
	created_at TIMESTAMPTZ NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX factor_code_open ON factor_code (session) WHERE state = 'open';
CREATE INDEX factor_code_account ON factor_code (account);
CREATE INDEX factor_code_expires ON factor_code (expires_at);

CREATE TABLE recovery_code (
	id       TEXT PRIMARY KEY,
	account  TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	code_mac TEXT NOT NULL,
	made_at  TIMESTAMPTZ NOT NULL,
	used_at  TIMESTAMPTZ
);
CREATE UNIQUE INDEX recovery_code_mac ON recovery_code (account, code_mac);

CREATE TABLE passkey_ceremony (
	id         TEXT PRIMARY KEY,            -- hash of the browser's secret
	account    TEXT NOT NULL DEFAULT '',    -- empty: anybody who has a passkey
	body       TEXT NOT NULL,               -- sealed
	expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX passkey_ceremony_expires ON passkey_ceremony (expires_at);
CREATE INDEX passkey_ceremony_account ON passkey_ceremony (account);

CREATE TABLE address_change (
	id         TEXT PRIMARY KEY,
	account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	old_email  TEXT NOT NULL,
	old_key    TEXT NOT NULL,
	new_email  TEXT NOT NULL,
	new_key    TEXT NOT NULL,
	state      TEXT NOT NULL CHECK (state IN ('asked', 'done', 'undone', 'superseded')),
	asked_at   TIMESTAMPTZ NOT NULL,
	done_at    TIMESTAMPTZ,
	undo_until TIMESTAMPTZ
);
CREATE UNIQUE INDEX address_change_asked ON address_change (account) WHERE state = 'asked';
CREATE INDEX address_change_old ON address_change (old_key) WHERE state = 'done';
CREATE INDEX address_change_account ON address_change (account, id);

CREATE TABLE name_correction (
	id           TEXT PRIMARY KEY,
	reference    TEXT NOT NULL UNIQUE,      -- "N-7F3K-22M"
	account      TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	chamber      TEXT NOT NULL REFERENCES chamber (id),
	title        TEXT NOT NULL,
	given_name   TEXT NOT NULL,
	family_name  TEXT NOT NULL,
	reason       TEXT NOT NULL,
	state        TEXT NOT NULL CHECK (state IN ('submitted', 'approved', 'done', 'refused', 'withdrawn')),
	clerk        TEXT NOT NULL DEFAULT '',
	answer       TEXT NOT NULL DEFAULT '',
	submitted_at TIMESTAMPTZ NOT NULL,
	decided_at   TIMESTAMPTZ,
	due_at       TIMESTAMPTZ                -- approved: when it takes effect
);
CREATE UNIQUE INDEX name_correction_pending ON name_correction (account) WHERE state IN ('submitted', 'approved');
CREATE INDEX name_correction_account ON name_correction (account, id);
CREATE INDEX name_correction_queue ON name_correction (chamber, state, submitted_at, id);
CREATE INDEX name_correction_due ON name_correction (due_at) WHERE state = 'approved';

CREATE TABLE notice_choice (
	account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	topic   TEXT NOT NULL,
	mail    BOOLEAN NOT NULL,
	PRIMARY KEY (account, topic)
);

CREATE TABLE dossier (
	id         TEXT PRIMARY KEY,
	account    TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	state      TEXT NOT NULL CHECK (state IN ('asked', 'ready')),
	body       TEXT NOT NULL DEFAULT '',    -- sealed JSON
	asked_at   TIMESTAMPTZ NOT NULL,
	ready_at   TIMESTAMPTZ,
	expires_at TIMESTAMPTZ
);
CREATE INDEX dossier_account ON dossier (account, id);
CREATE UNIQUE INDEX dossier_asked ON dossier (account) WHERE state = 'asked';
CREATE INDEX dossier_expires ON dossier (expires_at);

CREATE TABLE recovery (
	id           TEXT PRIMARY KEY,
	reference    TEXT NOT NULL UNIQUE,      -- "W-7F3K-22M"
	chamber      TEXT NOT NULL REFERENCES chamber (id),
	account      TEXT NOT NULL DEFAULT '',  -- found by the clerk, or empty
	browser      TEXT NOT NULL,             -- hash: who asked sees the state there
	claimed      TEXT NOT NULL,             -- sealed JSON: what the person said of themselves
	state        TEXT NOT NULL CHECK (state IN ('submitted', 'approved', 'released', 'done', 'refused', 'cancelled', 'expired')),
	clerk        TEXT NOT NULL DEFAULT '',
	evidence     TEXT NOT NULL DEFAULT '' CHECK (evidence IN ('', 'desk', 'letter', 'eid')),
	answer       TEXT NOT NULL DEFAULT '',
	address      TEXT NOT NULL DEFAULT '',  -- sealed: where the letter goes
	code_mac     TEXT NOT NULL DEFAULT '',
	tries        INTEGER NOT NULL DEFAULT 0,
	cancel_hash  TEXT NOT NULL DEFAULT '',  -- of the link in the notices
	proof        TEXT NOT NULL DEFAULT '',  -- hash of the secret of the browser in which the code was typed
	proved_at    TIMESTAMPTZ,
	chosen       TEXT NOT NULL DEFAULT '',  -- sealed JSON: the new address and password until the address is confirmed
	submitted_at TIMESTAMPTZ NOT NULL,
	decided_at   TIMESTAMPTZ,
	printed_at   TIMESTAMPTZ,
	due_at       TIMESTAMPTZ,               -- not before: the waiting time
	expires_at   TIMESTAMPTZ,
	ended_at     TIMESTAMPTZ
);
CREATE UNIQUE INDEX recovery_pending ON recovery (account) WHERE account <> '' AND state IN ('approved', 'released');
CREATE INDEX recovery_queue ON recovery (chamber, state, submitted_at, id);
CREATE INDEX recovery_browser ON recovery (browser);
CREATE INDEX recovery_cancel ON recovery (cancel_hash) WHERE cancel_hash <> '';
CREATE INDEX recovery_due ON recovery (due_at) WHERE state = 'approved';
CREATE INDEX recovery_expires ON recovery (expires_at) WHERE ended_at IS NULL;
CREATE INDEX recovery_ended ON recovery (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX recovery_account ON recovery (account);

CREATE TABLE parked_form (
	id         TEXT PRIMARY KEY,            -- hash of the browser's secret
	account    TEXT NOT NULL,               -- whose it was, or empty
	path       TEXT NOT NULL,
	body       TEXT NOT NULL,               -- sealed
	expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX parked_form_expires ON parked_form (expires_at);
CREATE INDEX parked_form_account ON parked_form (account);

CREATE TABLE chamber_setting (
	chamber    TEXT PRIMARY KEY REFERENCES chamber (id),
	body       TEXT NOT NULL,               -- JSON
	version    INTEGER NOT NULL DEFAULT 1,
	changed_at TIMESTAMPTZ NOT NULL,
	changed_by TEXT NOT NULL
);

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

CREATE TABLE mandate_person (
	mandate TEXT NOT NULL REFERENCES mandate (id) ON DELETE CASCADE,
	account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	since   TIMESTAMPTZ NOT NULL,
	PRIMARY KEY (mandate, account)
);
CREATE INDEX mandate_person_account ON mandate_person (account);

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

CREATE TABLE organization_word (
	organization TEXT NOT NULL REFERENCES organization (id) ON DELETE CASCADE,
	chamber      TEXT NOT NULL,
	word         TEXT NOT NULL,
	PRIMARY KEY (organization, chamber, word)
);
CREATE INDEX organization_word_find ON organization_word (chamber, word, organization);

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

CREATE TABLE tally (
	chamber TEXT NOT NULL REFERENCES chamber (id),
	month   TEXT NOT NULL,                  -- "2026-11"
	figure  TEXT NOT NULL,                  -- "registrations.submitted" …
	amount  BIGINT NOT NULL,
	PRIMARY KEY (chamber, month, figure)
);
