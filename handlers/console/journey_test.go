package console_test

import (
	"bytes"
	"html"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// fields returns the hidden fields of a page's form.
func (p page) fields(action string) url.Values {
	values := url.Values{}
	_, form, _ := strings.Cut(p.text, `action="`+action+`"`)
	form, _, _ = strings.Cut(form, "</form>")
	for _, field := range hidden.FindAllStringSubmatch(form, -1) {
		values.Add(html.UnescapeString(field[1]), html.UnescapeString(field[2]))
	}
	return values
}

// with returns the fields with some more.
func with(values url.Values, more ...string) url.Values {
	for i := 0; i < len(more); i += 2 {
		values.Add(more[i], more[i+1])
	}
	return values
}

// finished waits until a page of a job says so.
func (v *visitor) finished(path, state string) page {
	v.Helper()
	var p page
	v.eventually("the job is "+state, func() bool {
		p = v.get(http.StatusOK, path)
		return p.has("The job is </span>" + state)
	})
	return p
}

func TestReplayOfAGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.work()
	w.fail(1, causes...)
	v := w.operator()
	list := v.get(http.StatusOK, "/console/failed")
	for _, text := range []string{"68 dead letters", "/console/failed?code=http_503&amp;step=http&amp;target=fcm", "the target answers 503"} {
		if !list.has(text) {
			t.Errorf("the list does not say %q", text)
		}
	}
	list = v.get(http.StatusOK, "/console/failed?code=http_503&step=http&target=fcm")
	plan := v.post(http.StatusOK, "/console/failed/plan", with(list.fields("/console/failed/plan"), "plan", "replay-all"))
	if !plan.has("34 <small>dead letters") || !plan.has("Replay 34 dead letters") {
		t.Fatalf("the dry run says %s", plan.text)
	}
	form := with(plan.fields("/console/jobs"), "rate", "0")
	if again := v.post(http.StatusBadRequest, "/console/jobs", form); !again.has("Enter a reason") || !again.has("Replay 34 dead letters") {
		t.Errorf("without a reason: %s", again.text)
	}
	job := v.post(http.StatusOK, "/console/jobs", with(form, "reason", "fcm is back"))
	done := v.finished(job.path, "done")
	if !done.has("34 <small>of 34") || !done.has("fcm is back") {
		t.Errorf("the job ends so: %s", done.text)
	}
	if again := v.post(http.StatusOK, "/console/jobs", form); again.path != job.path {
		t.Errorf("the same dry run started again leads to %s", again.path)
	}
	if n := len(w.broker.Messages(messages.StreamTasks)); n != 34 {
		t.Errorf("%d tasks were replayed, not 34", n)
	}
	log := v.get(http.StatusOK, "/console/audit?action=replay.start")
	if !log.has("fcm is back") || !log.has("34 eligible") || !log.has(job.path) {
		t.Errorf("the audit log says %s", log.text)
	}
	if left := v.get(http.StatusOK, "/console/failed"); !left.has("34 dead letters") || left.has("http_503") {
		t.Errorf("what is left: %s", left.text)
	}
}

func TestDiscardOfSelected(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(1, causes[3])
	v := w.operator()
	if p := v.post(http.StatusBadRequest, "/console/failed/plan", url.Values{"plan": {"discard-selected"}}); !p.has("No dead letter is selected") {
		t.Errorf("nothing selected: %s", p.text)
	}
	plan := v.post(http.StatusOK, "/console/failed/plan", url.Values{"plan": {"discard-selected"}, "id": {w.anyLetter()}})
	form := with(plan.fields("/console/jobs"), "rate", "0", "reason", "a test device")
	if p := v.post(http.StatusBadRequest, "/console/jobs", form); !p.has("Confirm with the checkbox") {
		t.Errorf("not sure: %s", p.text)
	}
	v.finished(v.post(http.StatusOK, "/console/jobs", with(form, "sure", "yes")).path, "done")
	if p := v.get(http.StatusOK, "/console/failed"); !p.has("3 dead letters") {
		t.Errorf("after the discard: %s", p.text)
	}
}

// TestFilterThatCannotBeReadSelectsNothing: not everything.
func TestFilterThatCannotBeReadSelectsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(1, causes[3])
	v := w.operator()
	for _, query := range []string{"from=yesterday", "min_attempts=few", "max_attempts=-1"} {
		p := v.get(http.StatusBadRequest, "/console/failed?"+query)
		if !p.has(`aria-invalid="true"`) || p.has("replay-all") {
			t.Errorf("%s: %s", query, p.text)
		}
		values, _ := url.ParseQuery(query)
		if p := v.post(http.StatusBadRequest, "/console/failed/plan", with(values, "plan", "discard-all")); !p.has("nothing was selected") {
			t.Errorf("%s, discard: %s", query, p.text)
		}
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(2, causes...)
	v := w.operator()
	seen, next := 0, "/console/failed?step=http"
	older := regexp.MustCompile(`rel="next" href="([^"]*)"`)
	for next != "" {
		p := v.get(http.StatusOK, next)
		seen += strings.Count(p.text, `name="id"`)
		next = ""
		if match := older.FindStringSubmatch(p.text); match != nil {
			next = html.UnescapeString(match[1])
		}
	}
	if seen != 136 {
		t.Errorf("the pages have %d dead letters, not 136", seen)
	}
}

func TestLetter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(1, causes[0])
	v := w.operator()
	p := v.get(http.StatusOK, "/console/failed/"+w.anyLetter())
	for _, text := range []string{"requested", "fenced", "failed attempt", "given up", "http_503", "user-", "f3Kq…ters", "sap_v1"} {
		if !p.has(text) {
			t.Errorf("the letter does not show %q: %s", text, p.text)
		}
	}
	if p := v.get(http.StatusNotFound, "/console/failed/none"); !p.has("no longer exists") {
		t.Errorf("no such dead letter: %s", p.text)
	}
}

func TestPauseResumeCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(1, causes[0])
	v := w.operator()
	plan := v.post(http.StatusOK, "/console/failed/plan", url.Values{"plan": {"replay-all"}})
	job := v.post(http.StatusOK, "/console/jobs", with(plan.fields("/console/jobs"), "rate", "own", "own_rate", "2", "reason", "slowly"))
	for _, step := range []struct{ action, leads, offers string }{
		{"pause", "paused", "Resume the job"}, {"resume", "running", "Pause the job"}, {"cancel", "cancelled", "Audit log of this job"},
	} {
		p := v.post(http.StatusOK, job.path+"/"+step.action, nil)
		if p.path != job.path || !p.has("The job is </span>"+step.leads) || !p.has(step.offers) {
			t.Errorf("%s: %s", step.action, p.text)
		}
		entries, _, err := w.config.Audit.List(w.Context(), audit.Filter{Action: "job." + step.action}, "", 10)
		if w.must(err); len(entries) != 1 || entries[0].By != "admin" {
			t.Errorf("%s is in the audit log as %v", step.action, entries)
		}
	}
	if p := v.post(http.StatusConflict, job.path+"/resume", nil); !p.has("state does not allow this") {
		t.Errorf("a job that was cancelled: %s", p.text)
	}
	v.post(http.StatusNotFound, "/console/jobs/none/pause", nil)
}

func TestBulkRevocationByFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.work()
	w.login("wallet", 5)
	v := w.operator()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	w.must(form.WriteField("what", "users"))
	w.must(form.WriteField("users", "user-0@example.com"))
	w.must(form.WriteField("list_tenant", "acme"))
	file, err := form.CreateFormFile("file", "users.txt")
	w.must(err)
	_, err = file.Write([]byte("user-1@example.com\r\n\r\nacme\tuser-2@example.com\n"))
	w.must(err)
	w.must(form.Close())
	r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.server.URL+"/console/revoke", &body)
	w.must(err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	plan := v.do(http.StatusOK, r)
	if !plan.has("3 <small>logouts") {
		t.Fatalf("the dry run says %s", plan.text)
	}
	job := v.post(http.StatusOK, "/console/jobs", with(plan.fields("/console/jobs"), "rate", "0", "reason", "leaked", "sure", "yes"))
	v.finished(job.path, "done")
	for i, want := range []bool{false, false, false, true, true} {
		if got := w.active("wallet", i); got != want {
			t.Errorf("user %d is logged in: %v", i, got)
		}
	}
	if p := v.get(http.StatusOK, "/console/search?session_id="+session("wallet", 0)); !p.has("ccepted, not done yet") && !p.has("logged out") {
		t.Errorf("the search says %s", p.text)
	}
}

func TestBulkRevocationByApp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.work()
	w.login("wallet", 7)
	w.login("shop", 2)
	v := w.operator()
	for what, text := range map[string]string{
		"": "Choose who", "app": "Enter the app id", "tenant": "Enter the tenant id", "users": "Enter users", "everybody": "Enter a time",
	} {
		if p := v.post(http.StatusBadRequest, "/console/revoke", url.Values{"what": {what}}); !p.has(text) {
			t.Errorf("%q: %s", what, p.text)
		}
	}
	list := url.Values{"what": {"users"}, "users": {"ada\n\nacme\talan\tturing\n"}}
	if p := v.post(http.StatusBadRequest, "/console/revoke", list); !p.has("Line 3 is invalid") || !p.has("ada") {
		t.Errorf("a line with three fields: %s", p.text)
	}
	plan := v.post(http.StatusOK, "/console/revoke", url.Values{"what": {"app"}, "app_id": {"wallet"}})
	if !plan.has("7 <small>logouts") {
		t.Fatalf("the dry run says %s", plan.text)
	}
	job := v.post(http.StatusOK, "/console/jobs", with(plan.fields("/console/jobs"), "rate", "0", "reason", "leaked", "sure", "yes"))
	v.finished(job.path, "done")
	if w.active("wallet", 3) || !w.active("shop", 1) {
		t.Error("not exactly the sessions of the app are dead")
	}
	log := v.get(http.StatusOK, "/console/audit?action=revoke.start&by=admin")
	if !log.has("leaked") || !log.has("wallet") {
		t.Errorf("the audit log says %s", log.text)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login("wallet", 1)
	w.fail(1, causes[3])
	page, err := w.config.Letters.List(w.Context(), deadletters.Filter{}, "", 1)
	w.must(err)
	v := w.operator()
	for query, text := range map[string]string{
		"": "Enter a user", "user_id=user-0%40example.com&tenant_id=acme": "device-0", "session_id=" + session("wallet", 0): "still logged in",
		"session_id=" + store.TokenID("nobody"): "Not found", "request_id=" + page.Letters[0].RequestID: "Not completely",
	} {
		if p := v.get(http.StatusOK, "/console/search?"+query); !p.has(text) {
			t.Errorf("%s does not say %q: %s", query, text, p.text)
		}
	}
}
