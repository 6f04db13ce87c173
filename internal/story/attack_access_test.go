package story_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"zunft/internal/ground/audit"
	"zunft/internal/ground/db"
	"zunft/internal/identity/account"
	"zunft/internal/identity/correction"
	"zunft/internal/identity/dossier"
	"zunft/internal/identity/factor"
	"zunft/internal/identity/membership"
	"zunft/internal/story"
)

// A thing of somebody's that a route shows or changes.
type thing struct {
	path string
	may  string // keys of the people who may
}

// Names that nobody learns from a refusal.
var theirs = regexp.MustCompile(`Lerche|Amsel|Backmann|Yılmaz|Fuchs|Nagel|Clausen|Morgenrot|Fahrradwerkstatt|Schuteweg|Tischlerei|Berichtsheft führen`)

// Every route with an id, everybody, with the real ids of other people's
// things: who may gets 200, everybody else 403 or 404 with no name in it, and
// a POST of theirs changes nothing. A new route has to be entered here.
//
// Security list 8; R025 R098 R118 R131 R144 R224.
func TestAccess(t *testing.T) {
	h := intrude(t, start(t, "sqlite", story.Options{}))
	who := map[string]*visitor{"stranger": newVisitor(t)}
	for _, p := range h.People {
		who[p.Key] = as(t, h.World, p.Key)
	}
	// Nora registers; Frida's company is approved and its letter printed; Lena submits a report.
	r, body := who["nora"].post(h.Identity+"/organizations/register", spielUndSpass())
	if r.StatusCode != http.StatusSeeOther {
		t.Fatal(text(body))
	}
	frida := h.value(`SELECT r.id FROM registration r JOIN account a ON a.id = r.applicant WHERE a.username = 'frida.fuchs'`)
	noras := h.value(`SELECT r.id FROM registration r JOIN account a ON a.id = r.applicant WHERE a.username = 'nora.nagel'`)
	approved(t, h, who["clara"], frida)
	printed(t, h.World, who["clara"], 1)
	companyRole(t, h.World, "bert", "training_admin", membership.Details{})
	for _, key := range []string{"lena", "murat", "rita", "bert"} {
		if r, body := who[key].follow(h.Training + "/reports"); !strings.HasPrefix(r.Request.URL.String(), h.Training) {
			t.Fatal(key, "does not get into the training portal", r.Request.URL, text(body))
		}
	}
	week := thisWeek()
	who["lena"].post(h.Training+"/reports/"+week, url.Values{"work": {"Berichtsheft führen"}, "version": {"0"}})
	version := count(t, h.TrainingDB, `SELECT version FROM report`)
	r, body = who["lena"].post(h.Training+"/reports/"+week+"/submit", url.Values{"version": {string(rune('0' + version))}})
	if r.StatusCode != http.StatusSeeOther {
		t.Fatal("not submitted", r.StatusCode, text(body))
	}
	who["lena"].post(h.Training+"/reports/export", url.Values{"scope": {"book"}})
	lenasExport := value(t, h.TrainingDB, `SELECT id FROM export`)
	report, sub := value(t, h.TrainingDB, `SELECT id FROM report`), value(t, h.TrainingDB, `SELECT apprentice FROM report`)
	standing := standingThings(t, h.World, sub)
	request := h.value(`SELECT id FROM request`)
	batch := h.value(`SELECT id FROM letter_batch`)
	// A company found by Nora is named for Nora alone.
	r, body = who["nora"].post(h.Identity+"/organizations/join", url.Values{"name": {"Bäckerei Morgenrot GmbH"}, "street": {"Mehlgasse"}, "house_number": {"4"}, "postcode": {"00999"}})
	if r.StatusCode != http.StatusSeeOther {
		t.Fatal("company not found", text(body))
	}
	found := r.Header.Get("Location")
	// Somebody says they are Lena and have lost everything.
	r, body = newVisitor(t).post(h.Identity+"/recover/assisted", url.Values{"given_name": {"Lena"}, "family_name": {"Lerche"}, "login": {"lena.lerche"}, "contact": {"0999 1"}, "chamber": {h.value(`SELECT id FROM chamber WHERE number = '999'`)}})
	if r.StatusCode != http.StatusSeeOther {
		t.Fatal("no help asked for", text(body))
	}
	lost := h.value(`SELECT id FROM recovery`)
	// Murat's name comes from a contract, and he asks to correct it.
	fromContract(t, h.World, "murat")
	var wish correction.Correction
	if err := h.IdentityDB.Write(t.Context(), func(tx *db.Tx) (err error) {
		murat := audit.Actor{Account: h.value(`SELECT id FROM account WHERE username = 'murat.yilmaz'`)}
		wish, err = correction.Submit(tx, murat, correction.Wish{Chamber: h.value(`SELECT id FROM chamber WHERE number = '999'`), GivenName: "Murat", FamilyName: "Yilmaz", Reason: "Der Punkt."})
		return err
	}); err != nil {
		t.Fatal(err)
	}

	// Lena has a second factor and asked for her data; everybody has proved themselves a moment ago.
	lena := h.value(`SELECT id FROM account WHERE username = 'lena.lerche'`)
	if err := h.IdentityDB.Write(t.Context(), func(tx *db.Tx) error {
		a, err := account.Get(tx, lena)
		if err != nil {
			return err
		}
		by := audit.Actor{Account: lena}
		if _, err := factor.UseMail(tx, by, a, db.NewID()); err != nil {
			return err
		}
		return dossier.Ask(tx, by)
	}); err != nil {
		t.Fatal(err)
	}
	h.proved()
	mail(t, h.World, "lena@example.org", "Ihr Datenexport liegt bereit")
	lenas := map[string]string{}
	for table, order := range map[string]string{"factor": "id", "dossier": "id", "session": "created_at", "notice": "id"} {
		lenas[table] = h.value(`SELECT id FROM `+table+` WHERE account = $1 ORDER BY `+order+` DESC LIMIT 1`, lena)
	}

	of := h.delegated()

	org, members := "/organizations/"+h.bakery, "bert lena murat"
	rival := "/organizations/" + h.rival
	across := rival + "/members/" + h.members["lena"] // Rita's company, somebody else's member
	table := map[string][]thing{
		"GET /requests/{id}":                                {{"/requests/" + request, "anna bert"}},
		"GET /requests/{id}/sent":                           {{"/requests/" + request + "/sent", "anna"}},
		"POST /requests/{id}/claim":                         {{"/requests/" + request + "/claim", "bert"}},
		"POST /requests/{id}/release":                       {{"/requests/" + request + "/release", "bert"}},
		"POST /requests/{id}/approve":                       {{"/requests/" + request + "/approve", "bert"}},
		"POST /requests/{id}/deny":                          {{"/requests/" + request + "/deny", "bert"}},
		"POST /requests/{id}/withdraw":                      {{"/requests/" + request + "/withdraw", "anna"}},
		"GET /join/{company}":                               {{found, "nora"}},
		"POST /join/{company}":                              {{found, "nora"}},
		"GET /registrations/{id}":                           {{"/registrations/" + frida, "frida"}, {"/registrations/" + noras, "nora"}},
		"GET /registrations/{id}/done":                      {{"/registrations/" + frida + "/done", "frida"}, {"/registrations/" + noras + "/done", "nora"}},
		"POST /registrations/{id}":                          {{"/registrations/" + frida, "frida"}, {"/registrations/" + noras, "nora"}},
		"GET /organizations/{id}":                           {{org, members}, {"/organizations/" + h.rival, "rita"}},
		"GET /organizations/{id}/members":                   {{org + "/members", "bert"}},
		"GET /organizations/{id}/requests":                  {{org + "/requests", "bert"}},
		"GET /organizations/{id}/roles":                     {{org + "/roles", members}},
		"POST /organizations/{id}/roles":                    {{org + "/roles", members}},
		"GET /organizations/{id}/leave":                     {{org + "/leave", members}},
		"POST /organizations/{id}/leave":                    {{org + "/leave", members}},
		"GET /organizations/{id}/roles-matrix":              {{org + "/roles-matrix", "bert"}},
		"POST /organizations/{id}/roles-matrix":             {{org + "/roles-matrix", "bert"}},
		"GET /organizations/{id}/review":                    {{org + "/review", "bert"}},
		"POST /organizations/{id}/review":                   {{org + "/review", "bert"}},
		"GET /organizations/{id}/away":                      {{org + "/away", "bert"}},
		"POST /organizations/{id}/away":                     {{org + "/away", "bert"}},
		"POST /organizations/{id}/back":                     {{org + "/back", "bert"}},
		"GET /organizations/{id}/members/{member}":          {{org + "/members/" + h.members["lena"], "bert"}, {across, ""}},
		"POST /organizations/{id}/members/{member}":         {{org + "/members/" + h.members["lena"], "bert"}, {across, ""}},
		"POST /organizations/{id}/members/{member}/give":    {{org + "/members/" + h.members["lena"] + "/give", "bert"}, {across + "/give", ""}},
		"POST /organizations/{id}/members/{member}/take":    {{org + "/members/" + h.members["lena"] + "/take", "bert"}, {across + "/take", ""}},
		"GET /organizations/{id}/members/{member}/why":      {{org + "/members/" + h.members["lena"] + "/why?application=" + of.app, "bert lena"}, {across + "/why?application=" + of.app, ""}},
		"GET /organizations/{id}/details":                   {{org + "/details", members}},
		"POST /organizations/{id}/details":                  {{org + "/details", "bert"}},
		"GET /organizations/{id}/sites":                     {{org + "/sites", "bert"}},
		"POST /organizations/{id}/sites":                    {{org + "/sites", "bert"}},
		"GET /organizations/{id}/succession":                {{org + "/succession", "bert"}},
		"POST /organizations/{id}/succession":               {{org + "/succession", "bert"}},
		"GET /organizations/{id}/close":                     {{org + "/close", "bert"}},
		"POST /organizations/{id}/close":                    {{org + "/close", "bert"}},
		"GET /organizations/{id}/invitations":               {{org + "/invitations", "bert"}},
		"GET /organizations/{id}/invitations/new":           {{org + "/invitations/new", "bert"}},
		"POST /organizations/{id}/invitations/new":          {{org + "/invitations/new", "bert"}},
		"POST /organizations/{id}/invitations/remind":       {{org + "/invitations/remind", "bert"}},
		"GET /organizations/{id}/invitations/{invitation}":  {{org + "/invitations/" + of.invitation, "bert"}, {rival + "/invitations/" + of.invitation, ""}},
		"POST /organizations/{id}/invitations/{invitation}": {{org + "/invitations/" + of.invitation, "bert"}, {rival + "/invitations/" + of.invitation, ""}},
		"GET /invitations/{token}":                          nil, // the token is the right
		"POST /invitations/{token}":                         nil,
		"POST /account/invitations/{invitation}":            {{"/account/invitations/" + of.invitation, "nora"}},
		"GET /organizations/{id}/rosters":                   {{org + "/rosters", "bert"}},
		"POST /organizations/{id}/rosters":                  {{org + "/rosters", "bert"}},
		"GET /organizations/{id}/rosters/example.csv":       {{org + "/rosters/example.csv", "bert"}},
		"GET /organizations/{id}/mandates":                  {{org + "/mandates", "bert"}},
		"GET /organizations/{id}/mandates/new":              {{org + "/mandates/new", "bert"}},
		"POST /organizations/{id}/mandates/new":             {{org + "/mandates/new", "bert"}},
		"GET /mandates/{id}":                                {{"/mandates/" + of.mandate, "bert rita"}},
		"POST /mandates/{id}":                               {{"/mandates/" + of.mandate, "bert rita"}},
		"GET /mandates/{id}/people":                         {{"/mandates/" + of.mandate + "/people", "rita"}},
		"POST /mandates/{id}/people":                        {{"/mandates/" + of.mandate + "/people", "rita"}},
		"GET /mandates/{id}/revoke":                         {{"/mandates/" + of.mandate + "/revoke", "bert rita"}},
		"POST /mandates/{id}/revoke":                        {{"/mandates/" + of.mandate + "/revoke", "bert rita"}},
		"GET /mandates/{id}/form.pdf":                       {{"/mandates/" + of.mandate + "/form.pdf", "bert rita"}},
		"GET /representation/{token}":                       nil, // the token is the right
		"GET /join/{company}/message":                       {{found + "/message", "nora"}},
		"POST /join/{company}/message":                      {{found + "/message", "nora"}},
		"POST /requests/{id}/hand-over":                     {{"/requests/" + request + "/hand-over", "bert"}},
		"GET /chamber/letters/batches/{id}/sheet":           {{"/chamber/letters/batches/" + batch + "/sheet", "clara"}},
		"GET /chamber/mandates/{id}":                        {{"/chamber/mandates/" + of.mandate, ""}},
		"POST /chamber/mandates/{id}":                       {{"/chamber/mandates/" + of.mandate, ""}},
		"GET /chamber/organizations/{id}":                   {{"/chamber/organizations/" + h.bakery, "clara"}},
		"POST /chamber/organizations/{id}":                  {{"/chamber/organizations/" + h.bakery, "clara"}},
		"GET /chamber/persons/{id}":                         {{"/chamber/persons/" + lena, "clara"}},
		"POST /chamber/persons/{id}":                        {{"/chamber/persons/" + lena, "clara"}},
		"GET /chamber/templates/{id}":                       {{"/chamber/templates/" + of.block, "clara"}},
		"POST /chamber/templates/{id}":                      {{"/chamber/templates/" + of.block, "clara"}},
		"GET /admin/chambers/{id}":                          {{"/admin/chambers/" + of.chamber, "otto"}},
		"POST /admin/chambers/{id}":                         {{"/admin/chambers/" + of.chamber, "otto"}},
		"GET /admin/chambers/{id}/takeover":                 {{"/admin/chambers/" + of.chamber + "/takeover", "otto"}},
		"POST /admin/chambers/{id}/takeover":                {{"/admin/chambers/" + of.chamber + "/takeover", "otto"}},
		"GET /supervisor/reports/{id}":                      nil, // by PIN, see the training portal's own tests
		"POST /supervisor/reports/{id}/sign-off":            nil,
		"POST /supervisor/reports/{id}/return":              nil,
		"POST /supervisor/reports/{id}/undo":                nil,
		"POST /supervisor/reports/{id}/comment":             nil,
		"GET /supervisor/reports/{id}/files/{file}":         nil,
		"POST /organizations/{id}/members/{member}/roles":   {{org + "/members/" + h.members["lena"] + "/roles", "bert"}, {across + "/roles", ""}, {org + "/members/" + h.members["rita"] + "/roles", ""}},
		"POST /organizations/{id}/members/{member}/admin":   {{org + "/members/" + h.members["lena"] + "/admin", "bert"}, {across + "/admin", ""}, {org + "/members/" + h.members["rita"] + "/admin", ""}},
		"GET /organizations/{id}/members/{member}/remove":   {{org + "/members/" + h.members["lena"] + "/remove", "bert"}, {across + "/remove", ""}},
		"POST /organizations/{id}/members/{member}/remove":  {{org + "/members/" + h.members["lena"] + "/remove", "bert"}, {across + "/remove", ""}, {org + "/members/" + h.members["rita"] + "/remove", ""}},
		"GET /chamber/registrations/{id}":                   {{"/chamber/registrations/" + noras, "clara"}, {"/chamber/registrations/" + frida, "clara"}},
		"POST /chamber/registrations/{id}":                  {{"/chamber/registrations/" + noras, "clara"}, {"/chamber/registrations/" + frida, "clara"}},
		"GET /chamber/letters/batches/{id}":                 {{"/chamber/letters/batches/" + batch, "clara"}},
		"POST /chamber/letters/batches/{id}":                {{"/chamber/letters/batches/" + batch, "clara"}},
		"GET /chamber/identities/{id}":                      {{"/chamber/identities/" + wish.ID, "clara"}},
		"POST /chamber/identities/{id}":                     {{"/chamber/identities/" + wish.ID, "clara"}},
		"GET /chamber/recoveries/{id}":                      {{"/chamber/recoveries/" + lost, "clara"}},
		"POST /chamber/recoveries/{id}":                     {{"/chamber/recoveries/" + lost, "clara"}},
		"GET /recover/{ref}":                                nil, // the browser that asked, or reference and name
		"POST /recover/{ref}":                               nil,
		"GET /recover/{ref}/receipt/{file}":                 nil,
		"GET /recover/{ref}/cancel/{token}":                 nil,
		"POST /recover/{ref}/cancel/{token}":                nil,
		"GET /confirm-email/{token}":                        nil, // the token is the right
		"POST /confirm-email/{token}":                       nil,
		"GET /undo/{token}":                                 nil,
		"POST /undo/{token}":                                nil,
		"GET /confirm/{token}":                              nil, // the token is the right
		"POST /confirm/{token}":                             nil,
		"GET /recover/password/{token}":                     nil,
		"POST /recover/password/{token}":                    nil,
		"GET /unlock/{token}":                               nil,
		"POST /unlock/{token}":                              nil,
		"GET /login/{entry}":                                nil, // an entry page, open to all
		"POST /notifications/{id}":                          {{"/notifications/" + lenas["notice"], "lena"}},
		"GET /account/security/factors/{id}":                {{"/account/security/factors/" + lenas["factor"], "lena"}},
		"POST /account/security/factors/{id}":               {{"/account/security/factors/" + lenas["factor"], "lena"}},
		"POST /account/sessions/{id}/end":                   {{"/account/sessions/" + lenas["session"] + "/end", "lena"}},
		"POST /account/apps/{id}/disconnect":                nil, // the id is the application's; the connection is one's own
		"GET /account/data/{id}":                            {{"/account/data/" + lenas["dossier"], "lena"}},
		"GET /account/data/{id}/download":                   {{"/account/data/" + lenas["dossier"] + "/download", "lena"}},
		"GET /account/consents/{id}":                        nil, // a public text, and one's own consent
		"POST /account/consents/{id}":                       nil,
		"GET /register/{step}":                              nil, // the browser's own draft
		"POST /register/{step}":                             nil,
		"GET /register/captcha/{id}/{kind}":                 nil, // the browser that asked, see portal/signup
		"GET /report-activity/{token}":                      nil, // the token is the right
		"POST /report-activity/{token}":                     nil,
		"GET /keep/{token}":                                 nil,
		"POST /keep/{token}":                                nil,
		"GET /reviews/{id}":                                 {{"/reviews/" + report, "murat bert"}, {"/reviews/" + report + ".pdf", "murat bert"}},
		"POST /reviews/{id}/sign-off":                       {{"/reviews/" + report + "/sign-off", "murat"}},
		"POST /reviews/{id}/return":                         {{"/reviews/" + report + "/return", "murat"}},
		"POST /reviews/{id}/reopen":                         {{"/reviews/" + report + "/reopen", "murat"}},
		"POST /reviews/{id}/undo":                           {{"/reviews/" + report + "/undo", "murat"}},
		"GET /reviews/{id}/files/{file}":                    nil, // of a report one may read, see the training portal's own tests
		"POST /substitute/{id}/end":                         nil, // see review.TestSubstitute
		"POST /reviews/{id}/confirm":                        nil, // of one sent to an address, see review.TestAddressesAreConfirmed
		"POST /reviews/{id}/comment":                        {{"/reviews/" + report + "/comment", "murat lena"}},
		"GET /trainees/{id}":                                {{"/trainees/" + sub, "murat bert"}},
		"POST /trainees/{id}/registered":                    {{"/trainees/" + sub + "/registered", "bert"}}, // a training admin's word
		"GET /trainees/{id}/export":                         {{"/trainees/" + sub + "/export", "murat bert"}},
		"POST /trainees/{id}/export":                        {{"/trainees/" + sub + "/export", "murat bert"}},
		"GET /chamber/report-books/{id}/export":             {{"/chamber/report-books/" + standing.share + "/export", ""}},
		"POST /chamber/report-books/{id}/export":            {{"/chamber/report-books/" + standing.share + "/export", ""}},
		"POST /shares/{id}/{deed}":                          {{"/shares/" + standing.share + "/end", "lena"}, {"/shares/" + standing.share + "/grant", "lena"}, {"/shares/" + standing.share + "/decline", "lena"}},
		"POST /documents/{id}":                              {{"/documents/" + standing.document, "lena murat bert"}},
		"GET /documents/{id}":                               {{"/documents/" + standing.document + ".pdf", "lena murat bert"}},
		"GET /chamber/apprenticeships/{id}":                 {{"/chamber/apprenticeships/" + standing.apprenticeship, ""}}, // a clerk's, see TestStandingOfABook
		"POST /chamber/apprenticeships/{id}":                {{"/chamber/apprenticeships/" + standing.apprenticeship, ""}},
		"GET /chamber/report-books/{id}":                    {{"/chamber/report-books/" + standing.share, ""}},
		"GET /chamber/report-books/{id}/reports/{report}":   {{"/chamber/report-books/" + standing.share + "/reports/" + report, ""}},
		"POST /chamber/report-books/{id}/end":               {{"/chamber/report-books/" + standing.share + "/end", ""}},
		"POST /chamber/report-books/{id}/confirm":           {{"/chamber/report-books/" + standing.share + "/confirm", ""}},
		"GET /chamber/documents/{id}":                       {{"/chamber/documents/" + standing.document, ""}},
		"POST /chamber/documents/{id}/withdraw":             {{"/chamber/documents/" + standing.document + "/withdraw", ""}},
		"GET /reports/{week}":                               nil, // one's own, always
		"POST /reports/{week}":                              nil,
		"GET /reports/{week}/check":                         nil,
		"POST /reports/{week}/submit":                       nil,
		"GET /reports/{week}/submitted":                     nil,
		"POST /reports/{week}/take-back":                    nil,
		"POST /reports/{week}/comment":                      nil,
		"GET /reports/{week}/day/{date}":                    nil,
		"POST /reports/{week}/day/{date}":                   nil,
		"GET /reports/{week}/attachments":                   nil,
		"POST /reports/{week}/attachments":                  nil,
		"GET /reports/{week}/attachments/{file}":            nil, // of one's own week: another's id is not found there, see TestFilesOfAWeek
		"POST /reports/{week}/attachments/{file}/remove":    nil,
		"POST /absences/{id}/remove":                        nil, // one's own; another's id removes nothing, see TestPlanningIsChecked
		"POST /snippets/{id}/remove":                        nil,
		"GET /exports/{id}":                                 {{"/exports/" + lenasExport, "lena"}},
		"GET /exports/{id}/file":                            nil, // there once it is made, see TestTheBookGoesOut
		"POST /exports/{id}/drop":                           {{"/exports/" + lenasExport + "/drop", "lena"}},
		"GET /verify/{code}":                                nil, // the code is the right, see TestTheBookGoesOut
		"POST /verify/{code}":                               nil,
		"GET /imports/{id}":                                 nil, // one's own, see TestTheBookComesIn
		"POST /imports/{id}":                                nil,
		"POST /imports/{id}/drop":                           nil,
		"POST /settings/tokens/{id}/revoke":                 nil, // one's own, see TestAProgramWrites
		"GET /calendar/{file}":                              nil, // by its secret, see TestTheCalendarOfWeeks
		"/api/v1/reports/{week}":                            nil, // by key, see TestAProgramWrites
	}
	trainee := "/company/trainees/" + standing.apprenticeship
	for _, page := range []string{"/edit", "/end", "/continue"} {
		table["GET /company/trainees/{id}"+page] = []thing{{trainee + page, "bert"}}
		table["POST /company/trainees/{id}"+page] = []thing{{trainee + page, "bert"}}
	}
	table["GET /company/trainees/{id}"] = []thing{{trainee, "bert"}}
	table["POST /company/trainees/{id}/link"] = []thing{{trainee + "/link", "bert"}}
	table["POST /company/trainees/{id}/unlink"] = []thing{{trainee + "/unlink", "bert"}}
	for _, route := range []string{
		"POST /company/trainees/{id}/assignments/{assignment}/end", "GET /company/imports/{list}", "POST /company/imports/{list}", "POST /company/imports/{list}/rows", "GET /company/imports/{list}/rest.csv", // another company's are not found, see TestR232OnlyTrainingAdmins
		"GET /company/settings/{occupation}", "POST /company/settings/{occupation}", "POST /company/settings/{occupation}/reset", // always one's own company's
	} {
		table[route] = nil
	}
	for _, page := range []string{"", "/edit", "/roles", "/role", "/secrets", "/claims-preview"} {
		table["POST /admin/apps/{id}"+page] = []thing{{"/admin/apps/" + of.app + page, "otto"}}
	}
	for _, page := range []string{"", "/edit", "/roles", "/role", "/holders?role=trainer", "/redirects", "/secrets", "/claims-preview", "/log"} {
		path, _, _ := strings.Cut(page, "?")
		table["GET /admin/apps/{id}"+path] = []thing{{"/admin/apps/" + of.app + page, "otto"}}
	}
	for _, page := range []string{"", "/drop", "/remaining", "/send", "/slips"} {
		table["GET /organizations/{id}/rosters/{roster}"+page] = []thing{{org + "/rosters/" + of.roster + page, "bert"}, {rival + "/rosters/" + of.roster + page, ""}}
	}
	for _, page := range []string{"/columns", "/defaults", "/drop", "/remind", "/rows", "/send", "/slips"} {
		table["POST /organizations/{id}/rosters/{roster}"+page] = []thing{{org + "/rosters/" + of.roster + page, "bert"}, {rival + "/rosters/" + of.roster + page, ""}}
	}
	// Everything any of these forms might listen to, and much that none should.
	greedy := url.Values{
		"do": {"approve"}, "version": {h.version(noras)}, "entry": {h.value(`SELECT entry FROM registration WHERE id = $1`, noras)}, "evidence": {"letter"}, "answer": {"Nein."}, "question": {"?"}, "refusal": {"Nein."},
		"reason": {"Ich will."}, "remark": {"x"}, "text": {"x"}, "comment": {"x"}, "yes": {"1"}, "admin": {"1"}, "application": {"training"}, "role": {"trainer"}, "roles": {"training trainer"}, "state": {"approved"}, "organization": {h.bakery}, "account": {sub},
		"claimed_by": {sub}, "applicant": {sub}, "registered_by": {sub}, "letter": {h.value(`SELECT id FROM letter WHERE batch = $1`, batch)}, "from": {""}, "id": {request}, "member": {h.members["lena"]},
	}
	ours := []string{"organization", "registration", "membership", "role_grant", "request", "request_role", "letter", "letter_batch", "staff", "evidence", "notice", "recovery", "name_correction", "factor", "dossier", "session", "oidc_grant", "consent", "invitation", "roster", "roster_row", "mandate", "mandate_person", "site", "text_block", "application", "application_role", "chamber", "chamber_setting"}
	before, beforeT := dump(t, h.IdentityDB, ours...), dump(t, h.TrainingDB, "report", "report_event", "apprenticeship", "company_role", "share", "share_look", "document", "document_reading", "exam_step")

	check := func(base, pattern string) {
		if !strings.Contains(pattern, "{") || strings.Contains(pattern, "{$}") {
			return
		}
		things, known := table[pattern]
		if !known {
			t.Errorf("%s: say here who may", pattern)
		}
		for _, th := range things {
			for key, v := range who {
				may := slices.Contains(strings.Fields(th.may), key)
				if base == h.Training && !may && !slices.Contains([]string{"lena", "murat", "rita", "bert"}, key) {
					continue // everybody else has no session there
				}
				var r *http.Response
				var body string
				if method, _, _ := strings.Cut(pattern, " "); method == "GET" {
					r, body = v.get(base + th.path)
					if may && r.StatusCode != http.StatusOK && !strings.HasSuffix(th.path, ".pdf") {
						t.Errorf("%s %s: %s may, and gets %d", pattern, th.path, key, r.StatusCode)
					}
				} else if !may {
					r, body = v.post(base+th.path, greedy)
				}
				if may {
					continue
				}
				switch {
				case key == "stranger" && r.StatusCode == http.StatusSeeOther && strings.Contains(r.Header.Get("Location"), "/login"):
				case r.StatusCode != http.StatusForbidden && r.StatusCode != http.StatusNotFound:
					t.Errorf("%s %s: %s gets %d\n%s", pattern, th.path, key, r.StatusCode, text(body))
				}
				for _, name := range theirs.FindAllString(text(body), -1) {
					if !strings.Contains(nameOf(key), name) {
						t.Errorf("%s: %s learns %q from a refusal", pattern, key, name)
					}
				}
			}
		}
	}
	for _, route := range h.ID.Mux.Routes {
		check(h.Identity, route.Pattern)
	}
	for _, route := range h.Book.Mux.Routes {
		check(h.Training, route.Pattern)
	}
	if after := dump(t, h.IdentityDB, ours...); !slices.Equal(before, after) {
		t.Errorf("somebody changed what is not theirs:\n%s", difference(before, after))
	}
	if after := dump(t, h.TrainingDB, "report", "report_event", "apprenticeship", "company_role", "share", "share_look", "document", "document_reading", "exam_step"); !slices.Equal(beforeT, after) {
		t.Errorf("somebody changed a report that is not theirs:\n%s", difference(beforeT, after))
	}
	// Ids in queries and forms.
	for key, v := range who {
		if key == "stranger" {
			continue
		}
		for _, path := range []string{
			"/organizations/activated?organization=" + h.bakery, "/requests?before=" + request, "/chamber/registrations?before=" + noras, "/chamber/audit?request=x&organization=" + h.bakery,
			"/organizations/" + h.rival + "/members?after=" + h.members["lena"], "/organizations/" + h.rival + "/requests?after=" + request + "&organization=" + h.bakery,
		} {
			_, body := v.get(h.Identity + path)
			if key == "rita" || key == "kuno" || key == "otto" {
				if name := theirs.FindString(text(body)); name != "" {
					t.Errorf("%s learns %q from %s", key, name, path)
				}
			}
		}
		if key != "frida" { // a new letter for somebody else's company
			r, _ := v.post(h.Identity+"/organizations/activate", url.Values{"letter": {h.value(`SELECT organization FROM letter WHERE batch = $1`, batch)}})
			if r.StatusCode != http.StatusNotFound {
				t.Errorf("%s asks for somebody else's letter: %d", key, r.StatusCode)
			}
		}
	}
}

func nameOf(key string) string {
	return map[string]string{"lena": "Lena Lerche Morgenrot", "anna": "Anna Amsel", "bert": "Bert Backmann Morgenrot", "murat": "Murat Yılmaz Morgenrot", "frida": "Frida Fuchs", "nora": "Nora Nagel", "clara": "Clara Clausen"}[key]
}

func difference(before, after []string) string {
	var b strings.Builder
	for _, r := range after {
		if !slices.Contains(before, r) {
			b.WriteString("+ " + r + "\n")
		}
	}
	for _, r := range before {
		if !slices.Contains(after, r) {
			b.WriteString("- " + r + "\n")
		}
	}
	return b.String()
}

// What a form does not have, nobody can set: mass assignment (CVE-2026-27946).
func TestMassAssignment(t *testing.T) {
	h := intrude(t, start(t, "sqlite", story.Options{}))
	more := url.Values{
		"state": {"active"}, "confirmed": {"1"}, "Confirmed": {"true"}, "confirmed_at": {"2020-01-01"}, "admin": {"1"}, "id": {"x"}, "account": {"x"}, "role": {"operator"}, "applicant": {"x"}, "clerk": {"x"},
		"reference": {"R-AAAA-AAA"}, "score": {"100"}, "registered_by": {"x"}, "organization": {h.bakery}, "claimed_by": {"x"}, "decided_by": {"x"}, "password_hash": {"x"}, "Password": {"x"}, "language": {"xx"}, "version": {"77"}, "submitted_at": {"2020-01-01"},
	}
	v := newVisitor(t)
	if r, body := v.signUp(h.World, "mia.moewe", "mia@example.org", more); r.StatusCode != http.StatusSeeOther {
		t.Fatal(text(body))
	}
	if n := count(t, h.IdentityDB, `SELECT count(*) FROM account WHERE username = 'mia.moewe' AND state = 'unconfirmed' AND confirmed_at IS NULL AND language = 'de' AND version < 10`); n != 1 {
		t.Error("a stranger set what they should not:", dump(t, h.IdentityDB, "account"))
	}
	with := func(form url.Values) url.Values {
		for k, all := range more {
			if !form.Has(k) {
				form[k] = all
			}
		}
		return form
	}
	nora := as(t, h.World, "nora")
	if r, body := nora.post(h.Identity+"/organizations/register", with(spielUndSpass())); r.StatusCode != http.StatusSeeOther {
		t.Fatal(text(body))
	}
	if n := count(t, h.IdentityDB, `SELECT count(*) FROM registration r JOIN account a ON a.id = r.applicant WHERE a.username = 'nora.nagel' AND r.state = 'submitted' AND r.clerk = '' AND r.organization = '' AND r.version = 1 AND r.reference <> 'R-AAAA-AAA'`); n != 1 {
		t.Error("an applicant set what they should not:", dump(t, h.IdentityDB, "registration"))
	}
	r, _ := nora.post(h.Identity+"/organizations/join", with(url.Values{"name": {"Bäckerei Morgenrot GmbH"}, "street": {"Mehlgasse"}, "house_number": {"4"}, "postcode": {"00999"}}))
	nora.post(h.Identity+r.Header.Get("Location"), with(url.Values{"reason": {"Bitte"}}))
	if n := count(t, h.IdentityDB, `SELECT count(*) FROM request r JOIN account a ON a.id = r.applicant WHERE a.username = 'nora.nagel' AND r.state = 'open' AND r.claimed_by = '' AND r.decided_by = ''`); n != 1 {
		t.Error("a joiner set what they should not:", dump(t, h.IdentityDB, "request"))
	}
	nora.post(h.Identity+"/account/preferences", more)
	if n := count(t, h.IdentityDB, `SELECT count(*) FROM account WHERE language NOT IN ('de', 'en')`); n != 0 {
		t.Error("a language nobody speaks")
	}
	// Roles of an application that does not exist, or in a company that is not asked, are not granted.
	bert := as(t, h.World, "bert")
	request := h.value(`SELECT r.id FROM request r JOIN account a ON a.id = r.applicant WHERE a.username = 'anna.amsel'`)
	bert.post(h.Identity+"/requests/"+request+"/claim", nil)
	for _, roles := range []string{"x y", "training", " ", h.value(`SELECT id FROM application WHERE client_id = 'training'`) + " organization_admin"} {
		if r, body := bert.post(h.Identity+"/requests/"+request+"/approve", with(url.Values{"roles": {roles}})); r.StatusCode == http.StatusSeeOther {
			t.Errorf("roles %q are granted: %s", roles, text(body))
		}
	}
	if r, body := bert.post(h.Identity+"/requests/"+request+"/approve", with(url.Values{})); r.StatusCode != http.StatusSeeOther {
		t.Error(r.StatusCode, text(body))
	}
	err := h.IdentityDB.Read(t.Context(), func(tx *db.Tx) error {
		n, err := db.Value[int](tx, `SELECT count(*) FROM membership m JOIN account a ON a.id = m.account WHERE a.username = 'anna.amsel' AND m.admin`)
		if n != 0 {
			t.Error("an approval made an admin")
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
