package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/logoutd/logoutd/handlers/console"
	"github.com/logoutd/logoutd/internal/damage"
)

func TestDamageIsAcknowledged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := filepath.Join(t.TempDir(), "streams.json")
	w.must(os.WriteFile(path, []byte(`{"streams":{},"findings":[{"stream":"LOGOUT_TASKS","found_at":"2026-01-02T03:04:05Z","text":"The <stream> is a new one."}]}`), 0o600))
	var err error
	w.config.Damage, err = damage.Open(damage.Config{JetStream: w.broker.JS, Path: path})
	w.must(err)
	w.server = httptest.NewServer(console.New(w.config))
	w.Cleanup(w.server.Close)
	v := w.operator()
	if said := v.get(http.StatusOK, "/console/").text; !strings.Contains(said, "The &lt;stream&gt; is a new one.") {
		t.Errorf("the overview does not tell of the damage: %s", said)
	}
	v.post(http.StatusBadRequest, "/console/damage/acknowledge", url.Values{})
	v.post(http.StatusOK, "/console/damage/acknowledge", url.Values{"reason": {"repeated"}})
	if said := v.get(http.StatusOK, "/console/").text; strings.Contains(said, "is a new one") || len(w.config.Damage.Findings()) > 0 {
		t.Errorf("it is told after it was acknowledged: %s", said)
	}
	if again, err := damage.Open(damage.Config{Path: path}); err != nil || len(again.Findings()) > 0 {
		t.Errorf("a restart tells again: %v, %v", again, err)
	}
}
