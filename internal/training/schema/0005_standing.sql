-- +goose Up

-- The one long report of a book (R317); standing counts its weeks.
CREATE INDEX report_paper ON report (apprentice, first_day, last_day) WHERE kind = 'paper';

-- What this portal cannot know by itself of the way to the exam (§ 43 BBiG):
-- said by the apprentice, confirmed by the chamber.
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

-- A chamber's look into a report book, for a time (Zugriffsverwaltung): granted
-- by the apprentice, or opened by the chamber where the law lets it (§§ 43, 76 BBiG).
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
-- One question and one open look per book and chamber.
CREATE UNIQUE INDEX share_running ON share (person, chamber_number, state) WHERE state IN ('asked', 'open');
CREATE INDEX share_person ON share (person, id);
CREATE INDEX share_chamber ON share (chamber_number, id) WHERE state IN ('asked', 'open');
CREATE INDEX share_until ON share (until_at) WHERE state = 'open';
CREATE INDEX share_ended ON share (ended_at) WHERE ended_at IS NOT NULL;
-- Clerks look for apprentices of their chamber by name.
CREATE INDEX apprenticeship_family ON apprenticeship (chamber_number, family_name);

-- Who looked at what, and when; the apprentice reads it.
CREATE TABLE share_look (
	id     TEXT PRIMARY KEY,
	share  TEXT NOT NULL REFERENCES share (id) ON DELETE CASCADE,
	at     TIMESTAMPTZ NOT NULL,
	person TEXT NOT NULL REFERENCES person (sub),
	week   TEXT NOT NULL                                    -- 2026-W47; empty: the year
);
CREATE INDEX share_look_share ON share_look (share, id);

-- Documents of the chamber (R308–R312): for an apprenticeship, its apprentice and
-- its company read them; or for a company, which may have none (yet).
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

-- The PDF itself: lists never read it.
CREATE TABLE document_file (
	document TEXT PRIMARY KEY REFERENCES document (id) ON DELETE CASCADE,
	content  BYTEA NOT NULL
);

-- Proof of reading (R312): every opening.
CREATE TABLE document_reading (
	id       TEXT PRIMARY KEY,
	document TEXT NOT NULL REFERENCES document (id) ON DELETE CASCADE,
	at       TIMESTAMPTZ NOT NULL,
	person   TEXT NOT NULL REFERENCES person (sub),
	side     TEXT NOT NULL CHECK (side IN ('apprentice', 'company', 'chamber'))
);
CREATE INDEX document_reading_document ON document_reading (document, id);
