-- +goose Up

-- What a chamber or another tenant decided about accounts: its sign-up profile
-- and its rules. One is the default.
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

-- Numbers that open an account: apprentice and trainer numbers (R284).
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

-- A code that a chamber hands out: who types it at the sign-up has the number behind it (R187).
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

-- A picture to read or a sound to hear, answered once (R192).
CREATE TABLE captcha (
	id         TEXT PRIMARY KEY,
	answer     TEXT NOT NULL,               -- sealed
	browser    TEXT NOT NULL,
	expires_at TIMESTAMPTZ NOT NULL,
	used_at    TIMESTAMPTZ
);
CREATE INDEX captcha_expires ON captcha (expires_at);

-- Second factors. Several stand side by side; one that is pending opens nothing.
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

-- One-time codes by mail, bound to the session that asked.
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

-- Recovery codes, each good once.
CREATE TABLE recovery_code (
	id       TEXT PRIMARY KEY,
	account  TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	code_mac TEXT NOT NULL,
	made_at  TIMESTAMPTZ NOT NULL,
	used_at  TIMESTAMPTZ
);
CREATE UNIQUE INDEX recovery_code_mac ON recovery_code (account, code_mac);

-- A passkey ceremony under way: what was asked of the authenticator.
CREATE TABLE passkey_ceremony (
	id         TEXT PRIMARY KEY,            -- hash of the browser's secret
	account    TEXT NOT NULL DEFAULT '',    -- empty: anybody who has a passkey
	body       TEXT NOT NULL,               -- sealed
	expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX passkey_ceremony_expires ON passkey_ceremony (expires_at);

-- Changes of the main address; the old one stays reserved until undo_until.
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

-- Names that come from a contract or an eID are corrected by a clerk (R217–R220).
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

-- Which notices come by mail, too; without a row they do. Security always comes.
CREATE TABLE notice_choice (
	account TEXT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
	topic   TEXT NOT NULL,
	mail    BOOLEAN NOT NULL,
	PRIMARY KEY (account, topic)
);

-- Everything about a person, put together by a job on request.
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

-- Phone and mail are gone: with the chamber's help (ux.md task 10).
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

-- What was sent when the session had ended or a proof was missing: it is sent
-- again after that. Without passwords and codes.
CREATE TABLE parked_form (
	id         TEXT PRIMARY KEY,            -- hash of the browser's secret
	account    TEXT NOT NULL,               -- whose it was, or empty
	path       TEXT NOT NULL,
	body       TEXT NOT NULL,               -- sealed
	expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX parked_form_expires ON parked_form (expires_at);

-- Who was told that their account goes, and is to be told again.
CREATE INDEX account_told ON account (told_at, id) WHERE told_at IS NOT NULL;
-- A person who goes takes these along.
CREATE INDEX parked_form_account ON parked_form (account);
CREATE INDEX passkey_ceremony_account ON passkey_ceremony (account);
CREATE INDEX recovery_account ON recovery (account);
