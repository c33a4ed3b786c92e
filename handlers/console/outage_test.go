package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/handlers/console"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
)

// TestProjectionIsRebuilt: until it is ready, the pages tell how far it is.
func TestProjectionIsRebuilt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(1, causes[3])
	fresh, err := deadletters.Open(deadletters.Config{JetStream: w.broker.JS, Path: filepath.Join(t.TempDir(), "letters.db")})
	w.must(err)
	t.Cleanup(func() { w.must(fresh.Close()) })
	config := w.config
	config.Letters = fresh
	w.server.Close()
	w.server = httptest.NewServer(console.New(config))
	t.Cleanup(w.server.Close)
	if p := w.operator().get(http.StatusOK, "/console/failed"); !p.has("is being rebuilt") || !p.has("<progress") || !p.has(`http-equiv="refresh"`) {
		t.Errorf("while it is rebuilt: %s", p.text)
	}
}

// TestBrokerDown: every page says so, and shows what is known all the same.
func TestBrokerDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(1, causes...)
	letter := w.anyLetter()
	v := w.operator()
	w.eventually("the overview knows", func() bool { return v.get(http.StatusOK, "/console/").has("the target answers 503") })
	w.broker.Stop()
	w.eventually("the console notices", func() bool { return v.get(http.StatusOK, "/console/failed").has("The broker cannot be reached") })
	for path, text := range map[string]string{
		"/console/": "the target answers 503", "/console/failed": "68 dead letters", "/console/failed?code=timeout": "21 matching dead letters",
		"/console/failed/" + letter: "user-", "/console/jobs": "list of jobs cannot be shown", "/console/revoke": "Dry run",
		"/console/search?user_id=u": "The broker cannot be reached", "/console/audit": "audit log cannot be shown", "/console/events": "events cannot be shown",
	} {
		if p := v.get(http.StatusOK, path); !p.has("The broker cannot be reached") || !p.has(text) {
			t.Errorf("%s does not say %q: %s", path, text, p.text)
		}
	}
	if p := v.post(http.StatusServiceUnavailable, "/console/failed/plan", url.Values{"plan": {"replay-all"}}); !p.has("Nothing was changed") {
		t.Errorf("a dry run: %s", p.text)
	}
	if p := w.operator().get(http.StatusOK, "/console/failed"); !p.has("68 dead letters") {
		t.Errorf("after a login: %s", p.text)
	}
}

// TestUnknownIsNotZero: with the broker down no page shows an empty state, a
// zero or a green mark for what only the broker knows.
func TestUnknownIsNotZero(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.operator()
	w.eventually("the overview knows", func() bool { return v.get(http.StatusOK, "/console/").has(`<span class="badge good">working</span>`) })
	w.broker.Stop()
	w.eventually("the console notices", func() bool { return v.get(http.StatusOK, "/console/").has("are unknown.") })
	for path, text := range map[string]string{
		"/console/": "The running jobs are unknown", "/console/jobs": "The jobs are unavailable",
		"/console/audit": "The audit log is unavailable", "/console/events": "The events are unavailable",
		"/console/failed": "Nothing had failed when the broker last answered",
	} {
		p := v.get(http.StatusOK, path)
		if !p.has(text) {
			t.Errorf("%s does not say %q: %s", path, text, p.text)
		}
		for _, wrong := range []string{
			"No jobs yet", "No entries", "Nothing has failed", "No events", "All good", ">working<", `<small>messages</small>`, "resumes automatically",
		} {
			if p.has(wrong) {
				t.Errorf("%s says %q: %s", path, wrong, p.text)
			}
		}
	}
}

// TestTargetThatRefusesUs: a wrong key is not fixed by waiting.
func TestTargetThatRefusesUs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(broker.PutPaused(w.Context(), w.broker.JS, broker.Paused{
		Step: "http", Target: "fcm", Since: events.At(time.Now()), Code: "invalid_grant", Refused: true,
	}))
	v := w.operator()
	w.eventually("the overview knows", func() bool { return v.get(http.StatusOK, "/console/").has("invalid_grant") })
	p := v.get(http.StatusOK, "/console/")
	if !p.has("correct them") || !p.has(`class="verdict bad"`) || p.has("resumes automatically") {
		t.Errorf("the overview: %s", p.text)
	}
}

// TestBadgeAgreesWithThePage: the navigation and the first page count the same
// letters.
func TestBadgeAgreesWithThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(1, causes...)
	v := w.operator()
	p := v.get(http.StatusOK, "/console/")
	for _, text := range []string{`class="count">68</span>`, "All 68", "68 revocations have failed"} {
		if !p.has(text) {
			t.Errorf("the overview does not say %q: %s", text, p.text)
		}
	}
}

// TestStoreDown: the overview shows no green mark for the store, and does not
// say that logouts are accepted once the broker is down too.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.operator()
	w.must(w.store.(interface{ Close() error }).Close())
	w.eventually("the overview knows", func() bool {
		p := v.get(http.StatusOK, "/console/")
		return p.has("logouts are accepted and wait") && p.has(`<span class="badge bad">down</span>`)
	})
	w.broker.Stop()
	w.eventually("the overview knows of both", func() bool {
		p := v.get(http.StatusOK, "/console/")
		return p.has("logouts are refused with 503") && p.has("The store does not answer") && !p.has("accepted and wait")
	})
}
