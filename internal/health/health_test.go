package health_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/internal/health"
)

// serve serves the checks; each fails with the error that it has now.
func serve(t *testing.T, checks ...health.Check) *httptest.Server {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: "logoutd_test_total", Help: "Test."}))
	mux := http.NewServeMux()
	health.Routes(mux, []string{"front", "worker"}, checks, registry)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, strings.TrimSpace(string(b))
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	fine := func(context.Context) error { return nil }
	down := func(context.Context) error { return errors.New("not connected") }
	hanging := func(ctx context.Context) error {
		<-ctx.Done()
		return errors.New("no answer")
	}
	for name, tc := range map[string]struct {
		checks []health.Check
		status int
		body   string
	}{
		"all fine": {
			[]health.Check{{Name: "broker", Run: fine}}, 200, `{"status":"ready"}`,
		},
		"broker down": {
			[]health.Check{{Name: "broker", Run: down}, {Name: "store", Run: fine}}, 503,
			`{"status":"not ready","reasons":["broker: not connected"]}`,
		},
		"something optional down": {
			[]health.Check{{Name: "store", Run: down, Optional: true}}, 200,
			`{"status":"ready","degraded":["store: not connected"]}`,
		},
		"a check that hangs": {
			[]health.Check{{Name: "store", Run: hanging}}, 503, `{"status":"not ready","reasons":["store: no answer"]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, tc.checks...)
			if status, body := get(t, server.URL+"/readyz"); status != tc.status || body != tc.body {
				t.Errorf("%d %s, want %d %s", status, body, tc.status, tc.body)
			}
			if status, _ := get(t, server.URL+"/healthz"); status != 200 {
				t.Errorf("healthz: %d, although the process lives", status)
			}
		})
	}
}

func TestReadinessOfARole(t *testing.T) {
	t.Parallel()
	down := func(context.Context) error { return errors.New("cannot be reached") }
	server := serve(t,
		health.Check{Name: "broker", Run: func(context.Context) error { return nil }},
		health.Check{Name: "store", Roles: []string{"front"}, Run: down, Optional: true},
		health.Check{Name: "store", Roles: []string{"worker", "admin"}, Run: down})
	for query, tc := range map[string]struct {
		status int
		body   string
	}{
		"":                         {503, `{"status":"not ready","reasons":["store: cannot be reached"]}`},
		"?role=front":              {200, `{"status":"ready","degraded":["store: cannot be reached"]}`},
		"?role=worker":             {503, `{"status":"not ready","reasons":["store: cannot be reached"]}`},
		"?role=front&role=worker":  {503, `{"status":"not ready","reasons":["store: cannot be reached"]}`},
		"?role=admin":              {404, `{"status":"this process does not have the role admin; it has front, worker"}`},
		"?role=":                   {400, `{"status":"unknown role; there are front, worker, admin"}`},
		"?role=front&role=janitor": {400, `{"status":"unknown role; there are front, worker, admin"}`},
		"?rol=front":               {400, `{"status":"unknown parameter; there is role: front, worker, admin"}`},
	} {
		if status, body := get(t, server.URL+"/readyz"+query); status != tc.status || body != tc.body {
			t.Errorf("%s: %d %s, want %d %s", query, status, body, tc.status, tc.body)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	if status, body := get(t, serve(t).URL+"/metrics"); status != 200 || !strings.Contains(body, "logoutd_test_total 0") {
		t.Errorf("%d %s", status, body)
	}
}
