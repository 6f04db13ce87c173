-- +goose Up

-- What fills a week in before anybody writes: how the person's weeks usually
-- are. One row per person, seven days as JSON as in report.days.
CREATE TABLE week_pattern (
	person     TEXT PRIMARY KEY REFERENCES person (sub),
	days       TEXT NOT NULL,
	regional   TEXT NOT NULL DEFAULT '',    -- keys of holidays that hold where the person works, with a blank between
	land       TEXT NOT NULL DEFAULT '',    -- as the person said, if the apprenticeship does not say
	changed_at TIMESTAMPTZ NOT NULL
);

-- Times known beforehand: vacation, illness, school blocks, courses, departments.
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

-- Lessons of the school's timetable, day by day.
CREATE TABLE lesson (
	person  TEXT NOT NULL REFERENCES person (sub),
	day     TEXT NOT NULL,
	starts  INTEGER NOT NULL,               -- minutes of the day
	ends    INTEGER NOT NULL,
	subject TEXT NOT NULL,
	place   TEXT NOT NULL DEFAULT '',
	PRIMARY KEY (person, day, starts, subject)
);

-- Texts that somebody uses again and again.
CREATE TABLE snippet (
	id         TEXT PRIMARY KEY,
	person     TEXT NOT NULL REFERENCES person (sub),
	text       TEXT NOT NULL,
	created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX snippet_person ON snippet (person, id);

-- Sections of training plans (Berufsbildpositionen of the Ausbildungsrahmenplan).
-- The id is made of chamber, occupation and number, so that reading a plan anew
-- keeps what reports say of it; what a plan has no more is not current.
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

-- What all training regulations have in common since 1 August 2021 (modernised
-- standard positions, BIBB board recommendation 172).
INSERT INTO plan_section (id, chamber_number, occupation, position, number, title, weeks, keywords) VALUES
	('6lr5yy4s', '', '', 1, 'S1', 'Organisation des Ausbildungsbetriebes, Berufsbildung sowie Arbeits- und Tarifrecht', 0, 'ausbildungsvertrag betriebsrat tarif arbeitsvertrag berufsgenossenschaft urlaubsantrag kuendigung arbeitsrecht jugendvertretung organigramm'),
	('4n3vxudo', '', '', 2, 'S2', 'Sicherheit und Gesundheit bei der Arbeit', 0, 'arbeitssicherheit sicherheitsunterweisung unfall schutzbrille schutzkleidung ersthelfer brandschutz feuerloesch gefaehrdung gesundheit ergonomie arbeitsschutz'),
	('rzbppn7p', '', '', 3, 'S3', 'Umweltschutz und Nachhaltigkeit', 0, 'umwelt abfall muell entsorg recycl energie nachhaltig ressource'),
	('tiayl2xs', '', '', 4, 'S4', 'Digitalisierte Arbeitswelt', 0, 'datenschutz passwort software computer tablet digital internet datensicher');

-- Files that belong to a report. The bytes are in parts of their own, so that
-- lists never read them.
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
