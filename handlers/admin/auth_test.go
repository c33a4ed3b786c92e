package admin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/logoutd/logoutd/handlers/admin"
)

// calls are all calls, and one that is none.
var calls = []struct{ method, path string }{
	{"PUT", "/v1/sessions"},
	{"PUT", "/v1/refresh-tokens"},
	{"PUT", "/v1/push-registrations"},
	{"POST", "/v1/import"},
	{"POST", "/v1/introspect"},
	{"POST", "/v1/revocations"},
	{"GET", "/v1/events"},
	{"GET", "/v1/failed"},
	{"GET", "/v1/failed/some-id"},
	{"POST", "/v1/failed/replays"},
	{"POST", "/v1/failed/discards"},
	{"GET", "/v1/nothing"},
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
		for _, call := range calls {
			r := w.request(call.method, call.path, strings.NewReader("{}"))
			r.Header["Authorization"] = c.headers
			a := w.do(r)
			w.refused(a, http.StatusUnauthorized, "", "admin.token")
			challenge := a.header.Get("WWW-Authenticate")
			if !strings.HasPrefix(challenge, "Bearer ") || strings.Contains(challenge, "invalid_token") != c.invalid {
				t.Errorf("%s: %s %s: WWW-Authenticate is %q", c.name, call.method, call.path, challenge)
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
		w.refused(w.call("GET", path, ""), http.StatusNotFound, "", "no such call")
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
	want := `# HELP logoutd_admin_requests_total Calls of the admin API by route and status.
# TYPE logoutd_admin_requests_total counter
logoutd_admin_requests_total{route="GET /v1/failed/{id}",status="404"} 1
logoutd_admin_requests_total{route="none",status="404"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
