-- +goose Up

-- The one long report of a book (R317); standing counts its weeks.
CREATE INDEX report_paper ON report (apprentice, first_day, last_day) WHERE kind = 'paper';
