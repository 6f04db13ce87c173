// Package api is how programs of apprentices read and write their report book,
// and where its owner keeps the keys:
//
//	GET  /settings/tokens              keys, and how to make one
//	POST /settings/tokens              make one; it is shown once, on this answer
//	POST /settings/tokens/{id}/revoke
//	GET  /api                          how it works (open)
//	GET  /api/v1/openapi.json          OpenAPI 3.1 (open)
//	GET  /api/v1/reports?year=2026     reports of a year of weeks
//	GET  /api/v1/reports/{week}        one, or an empty one of version 0
//	PUT  /api/v1/reports/{week}        save a draft; version says of which one it was made
//
// A key goes into "Authorization: Bearer". Errors are application/problem+json
// (RFC 9457), in the language asked for. What a rule says to a person in the
// editor it says to a program, too.
package api

import (
	"embed"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/ground/fault"
	"zunft/internal/ground/limit"
	"zunft/internal/ground/web"
	"zunft/internal/training/book"
	"zunft/internal/training/export"
	"zunft/internal/training/token"
)

// Phrases of these pages.
//
//go:embed phrases/*.json
var Phrases embed.FS

//go:embed all:templates
var files embed.FS

//go:embed openapi.json
var openapi []byte

var templates = web.Parse(files)

// Pages of the place.
type Pages struct {
	DB   *db.DB
	Site *web.Site
}

// Mount adds the routes.
func (p *Pages) Mount(m *web.Mux) {
	m.Signed("GET /settings/tokens", p.tokens)
	m.Signed("POST /settings/tokens", p.issue)
	m.Signed("POST /settings/tokens/{id}/revoke", p.revoke)
	m.Open("GET /api", p.docs)
	m.Machine("GET /api/v1/openapi.json", http.HandlerFunc(describe))
	get := p.machine(token.Read, p.report)
	put := p.machine(token.Write, p.save)
	m.Machine("GET /api/v1/reports", p.machine(token.Read, p.year))
	m.Machine("/api/v1/reports/{week}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			get.ServeHTTP(w, r)
		case http.MethodPut:
			put.ServeHTTP(w, r)
		default:
			w.Header().Set("Allow", "GET, HEAD, PUT")
			p.problem(w, r, errMethod)
		}
	}))
	m.Machine("/api/v1/", p.machine(token.Read, func(*http.Request, audit.Actor) (any, error) { return nil, fault.NotFound() }))
}

const (
	maxBody = 128 << 10
	noted   = time.Hour
)

// calls bound one key, strangers those who have none that opens.
var (
	calls     = limit.Rate{Burst: 60, Every: time.Second}
	strangers = limit.Rate{Burst: 20, Every: 10 * time.Second}
)

func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*") // a public document
	w.Header().Set("Cache-Control", "max-age=3600")
	_, _ = w.Write(openapi)
}

// machine answers a program: key, limit, scope, work, JSON.
func (p *Pages) machine(scope string, work func(*http.Request, audit.Actor) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		answer, err := p.answer(r, scope, work)
		if err != nil {
			p.problem(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(answer); err != nil {
			slog.WarnContext(r.Context(), "answer a program", "request", web.Actor(r).Request, "err", err)
		}
	})
}

// errMethod is a request that this address does not know.
var errMethod = errors.New("method")

// errNoKey is a request without a key that opens.
var errNoKey = errors.New("no key")

func (p *Pages) answer(r *http.Request, scope string, work func(*http.Request, audit.Actor) (any, error)) (any, error) {
	by := web.Actor(r)
	secret, yes := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	var t token.Token
	err := fault.NotFound()
	if yes {
		err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
			t, by, err = token.Find(tx, by, strings.TrimSpace(secret))
			return err
		})
	}
	if fault.Is(err, fault.KindNotFound) {
		if err := limit.Take(r.Context(), p.DB, "api/"+limit.Network(by.IP), strangers); err != nil {
			return nil, err
		}
		return nil, errNoKey
	}
	if err != nil {
		return nil, err
	}
	err = p.DB.Write(r.Context(), func(tx *db.Tx) error {
		if err := limit.TakeIn(tx, "api/"+t.ID, calls); err != nil {
			return err
		}
		if tx.Now().Sub(t.UsedAt) > noted {
			return token.Used(tx, t)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if scope == token.Write && t.Scope != token.Write {
		return nil, fault.Forbidden()
	}
	return work(r, by)
}

// problem is what went wrong, as RFC 9457 writes it.
type problem struct {
	Type     string         `json:"type"`
	Title    string         `json:"title"`
	Status   int            `json:"status"`
	Detail   string         `json:"detail,omitempty"`
	Instance string         `json:"instance,omitempty"` // the request's number, to quote
	Errors   []fieldProblem `json:"errors,omitempty"`
	Stored   any            `json:"stored,omitempty"` // 409: what is stored instead
}

type fieldProblem struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// A conflict carries what is stored.
type conflict struct {
	error
	stored export.Record
}

func (c conflict) Unwrap() error { return c.error }

func (p *Pages) problem(w http.ResponseWriter, r *http.Request, err error) {
	text := func(key string, args ...any) string { return p.Site.Catalog.Text(web.Lang(r), key, args...) }
	number := web.Actor(r).Request
	out := problem{Type: "about:blank", Status: http.StatusInternalServerError, Detail: text("web.defect", number), Instance: "urn:request:" + number}
	if errors.Is(err, errNoKey) {
		out.Status, out.Detail = http.StatusUnauthorized, text("api.no_key")
		w.Header().Set("WWW-Authenticate", `Bearer realm="report book"`) // RFC 6750, 3
	} else if errors.Is(err, errMethod) {
		out.Status, out.Detail = http.StatusMethodNotAllowed, ""
	} else if f := fault.Of(err); f != nil {
		out.Status = web.Status(f)
		out.Detail = text(f.Key(), f.Problems[0].Args...)
		for _, one := range f.Problems {
			if one.Field != "" {
				out.Errors = append(out.Errors, fieldProblem{one.Field, text(one.Key, one.Args...)})
			}
		}
		if f.Wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(f.Wait.Seconds())+1))
		}
		if c, is := errors.AsType[conflict](err); is {
			out.Stored = c.stored
		}
	} else {
		slog.ErrorContext(r.Context(), "defect", "request", number, "method", r.Method, "path", r.URL.Path, "err", err)
	}
	out.Title = http.StatusText(out.Status)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Content-Language", web.Lang(r))
	w.WriteHeader(out.Status)
	_ = json.NewEncoder(w).Encode(out)
}

func weekOf(r *http.Request) (book.Week, error) {
	w, ok := book.ParseWeek(r.PathValue("week"))
	if !ok {
		return w, fault.NotFound()
	}
	return w, nil
}

// reports is a year of them.
type reports struct {
	Year    int             `json:"year"`
	Reports []export.Record `json:"reports"`
}

func (p *Pages) year(r *http.Request, by audit.Actor) (any, error) {
	out := reports{Reports: []export.Record{}}
	err := p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		out.Year = book.WeekOf(tx.Now()).Year
		if asked := r.URL.Query().Get("year"); asked != "" {
			if out.Year, err = strconv.Atoi(asked); err != nil || out.Year < 1990 || out.Year > 2100 {
				return fault.Invalid("year", "api.no_year")
			}
		}
		all, err := book.Year(tx, by, out.Year)
		for i := len(all) - 1; i >= 0; i-- {
			out.Reports = append(out.Reports, export.RecordOf(all[i]))
		}
		return err
	})
	return out, err
}

func (p *Pages) report(r *http.Request, by audit.Actor) (any, error) {
	week, err := weekOf(r)
	if err != nil {
		return nil, err
	}
	var report book.Report
	err = p.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		report, err = book.Mine(tx, by, week)
		return err
	})
	return export.RecordOf(report), err
}

func (p *Pages) save(r *http.Request, by audit.Actor) (any, error) {
	week, err := weekOf(r)
	if err != nil {
		return nil, err
	}
	rec, err := readRecord(r.Body)
	if err != nil {
		return nil, err
	}
	if rec.Week != "" && rec.Week != week.String() {
		return nil, fault.Invalid("week", "api.other_week", week.String())
	}
	typed, err := rec.Text(week)
	if err != nil {
		return nil, err
	}
	var report book.Report
	err = p.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		report, err = book.Save(tx, by, week, rec.Version, typed)
		return err
	})
	if fault.Is(err, fault.KindConflict) && report.Version > 0 {
		_ = p.DB.Read(r.Context(), func(tx *db.Tx) (again error) {
			report, again = book.Mine(tx, by, week)
			return again
		})
		return nil, conflict{err, export.RecordOf(report)}
	}
	return export.RecordOf(report), err
}

// readRecord reads one record and nothing after it; a field we do not know is
// a typing error of the program's author, who wants to know.
func readRecord(body io.Reader) (rec export.Record, err error) {
	b, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if err != nil {
		return rec, fault.Invalid("", "web.form_unreadable")
	}
	if len(b) > maxBody {
		return rec, fault.Invalid("", "web.too_large")
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&rec); err != nil {
		return rec, fault.Invalid("", "api.no_json", strings.TrimPrefix(err.Error(), "json: "))
	}
	if d.More() {
		return rec, fault.Invalid("", "api.no_json", "more than one value")
	}
	return export.Clean(rec), nil
}
