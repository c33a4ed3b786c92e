package console_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestEveryAnswerIsGuarded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.operator()
	for path, status := range map[string]int{
		"/console/": 200, "/console/failed": 200, "/console/failed/none": 404, "/console/failed?from=soon": 400, "/console/jobs": 200,
		"/console/revoke": 200, "/console/search": 200, "/console/audit": 200, "/console/events": 200, "/console/nowhere": 404,
		"/console/assets/console.css": 200, "/console/assets/console.js": 200, "/console/assets/icon.svg": 200,
	} {
		p := v.get(status, path)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if got := p.header.Get(name); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		for _, inline := range []string{"style=", "<style>\n", " onclick", "javascript:", "http://", "https://"} {
			if strings.Contains(p.header.Get("Content-Type"), "html") && p.has(inline) {
				t.Errorf("%s holds %q", path, inline)
			}
		}
	}
}

func TestChangesComeFromTheConsoleOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(1, causes[0])
	v := w.operator()
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		r, err := http.NewRequestWithContext(w.Context(), http.MethodPost, w.server.URL+"/console/failed/plan", strings.NewReader("plan=discard-all"))
		w.must(err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(name, value)
		if p := v.do(http.StatusForbidden, r); !p.has("Cross-site request refused") {
			t.Errorf("%s: %s: %s", name, value, p.text)
		}
	}
}

// TestLinkFromElsewhere: see the one in a browser.
func TestLinkFromElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, w.server.URL+"/console/failed?step=http", nil)
	w.must(err)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if p := w.visitor().do(http.StatusOK, r); !p.has(`http-equiv="refresh" content="0"`) || !p.has("/console/failed?step=http") {
		t.Errorf("a link from elsewhere shows %s", p.text)
	}
}
