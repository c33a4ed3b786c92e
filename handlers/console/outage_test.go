package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/logoutd/logoutd/handlers/console"
	"github.com/logoutd/logoutd/operations/letters"
)

// TestProjectionIsRebuilt: until it is ready, the pages tell how far it is.
func TestProjectionIsRebuilt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(1, causes[3])
	fresh, err := letters.Open(letters.Config{JetStream: w.broker.JS, Path: filepath.Join(t.TempDir(), "letters.db")})
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
	w.eventually("the overview knows", func() bool { return v.get(http.StatusOK, "/console/").has("the provider answers 503") })
	w.broker.Stop()
	w.eventually("the console notices", func() bool { return v.get(http.StatusOK, "/console/failed").has("The broker cannot be reached") })
	for path, text := range map[string]string{
		"/console/": "the provider answers 503", "/console/failed": "68 letters", "/console/failed?code=timeout": "21 letters",
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
	if p := w.operator().get(http.StatusOK, "/console/failed"); !p.has("68 letters") {
		t.Errorf("after a login: %s", p.text)
	}
}
