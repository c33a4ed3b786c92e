package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/logoutd/logoutd/handlers/admin"
	"github.com/logoutd/logoutd/internal/access"
)

// everyCall returns a request for each call that wants a token: one that such
// a token does not make wait.
func (w *world) everyCall() (calls []*http.Request) {
	w.t.Helper()
	c := theContract(w.t)
	for _, o := range c.operations() {
		if o.role(c) == "" {
			continue
		}
		path := strings.NewReplacer("{id}", "some-id", "{name}", "some-name").Replace(o.path)
		if path == "/v1/events" || path == "/v1/profile" {
			path += "?seconds=0"
		}
		calls = append(calls, w.request(o.method, path, strings.NewReader("{}")))
	}
	return calls
}

func TestToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := []struct {
		name    string
		headers []string
		invalid bool // a token was shown
	}{
		{"none", nil, false},
		{"wrong", []string{"Bearer " + raw + "other"}, true},
		{"empty", []string{"Bearer "}, true},
		{"prefix", []string{"Bearer " + adminToken[:5]}, true},
		{"longer", []string{"Bearer " + adminToken + "x"}, true},
		{"other scheme", []string{"Basic " + adminToken}, false},
		{"no scheme", []string{adminToken}, false},
		{"twice", []string{"Bearer " + adminToken, "Bearer " + adminToken}, false},
	}
	for _, c := range cases {
		calls := append(w.everyCall(), w.request("GET", "/v1/nothing", nil))
		for _, r := range calls {
			r.Header["Authorization"] = c.headers
			a := w.do(r)
			w.refused(a, http.StatusUnauthorized, "", "admin.token")
			challenge := a.header.Get("WWW-Authenticate")
			if !strings.HasPrefix(challenge, "Bearer ") || strings.Contains(challenge, "invalid_token") != c.invalid {
				t.Errorf("%s: %s %s: WWW-Authenticate is %q", c.name, r.Method, r.URL, challenge)
			}
		}
	}
}

func TestTokenSchemeIgnoresCase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.request("GET", "/v1/failed", nil)
	r.Header.Set("Authorization", "bearer "+adminToken)
	if a := w.do(r); a.status != http.StatusOK {
		t.Errorf("got %d %v", a.status, a.body)
	}
}

// The role that the document names is enough, and no other than an operator's.
func TestRoles(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t, named), theContract(t)
	w.run(w.config.Tokens.Run)
	for _, role := range []access.Role{access.Registry, access.Viewer, access.Operator} {
		token, _, err := w.config.Tokens.Create(t.Context(), "the-"+string(role), role, "test")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range w.everyCall() {
			o, _ := c.find(r.Method, r.URL.Path)
			r.Header.Set("Authorization", "Bearer "+token)
			a, wanted := w.do(r), access.Role(o.role(c))
			if role == access.Operator || role == wanted {
				if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden {
					t.Errorf("%s as %s: %d %v", o.pattern(), role, a.status, a.body)
				}
				continue
			}
			w.refused(a, http.StatusForbidden, "", string(wanted))
			challenge := a.header.Get("WWW-Authenticate")
			if a.text("role") != string(wanted) || !strings.Contains(a.text("detail"), "the-"+string(role)) || !strings.Contains(challenge, "insufficient_scope") {
				t.Errorf("%s as %s: %v, WWW-Authenticate %q", o.pattern(), role, a.body, challenge)
			}
		}
	}
}

// Until the tokens were read, nobody is told that his is wrong; the root token
// works.
func TestTokensUnread(t *testing.T) {
	t.Parallel()
	w := newWorld(t, named)
	w.refused(w.as("logoutd_unknown", "GET", "/v1/jobs", ""), http.StatusServiceUnavailable, "", "not been read")
	w.must(http.StatusOK, "GET", "/v1/jobs", "")
	w.run(w.config.Tokens.Run)
	w.until("tokens are read", w.config.Tokens.Loaded)
	w.refused(w.as("logoutd_unknown", "GET", "/v1/jobs", ""), http.StatusUnauthorized, "", "")
}

// A server without a token must not take an empty one for it.
func TestNoTokenConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *admin.Config) { c.Token = "" })
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer x"} {
		r := w.request("GET", "/v1/failed", nil)
		r.Header.Set("Authorization", header)
		w.refused(w.do(r), http.StatusUnauthorized, "", "")
	}
}

func TestUnknownCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, path := range []string{"/v1/", "/v1/nothing", "/v1/sessions/", "/v1//sessions", "/v1/failed/a/b"} {
		w.refused(w.call("GET", path, ""), http.StatusNotFound, "", "unknown path")
	}
	cases := map[string]string{"/v1/sessions": "PUT", "/v1/revocations": "POST", "/v1/failed": "GET, HEAD"}
	for path, allow := range cases {
		a := w.call("DELETE", path, "")
		w.refused(a, http.StatusMethodNotAllowed, "", "method")
		if got := a.header.Get("Allow"); got != allow {
			t.Errorf("%s: Allow is %q, want %q", path, got, allow)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	w := newWorld(t, func(c *admin.Config) { c.Registerer = registry })
	w.call("GET", "/v1/failed/raw-id", "")
	w.call("GET", "/v1/raw-path", "")
	want := `# HELP logoutd_admin_requests_total Calls of the admin API, by route and status.
# TYPE logoutd_admin_requests_total counter
logoutd_admin_requests_total{route="GET /v1/failed/{id}",status="404"} 1
logoutd_admin_requests_total{route="none",status="404"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "logoutd_admin_requests_total"); err != nil {
		t.Error(err)
	}
}
