package console_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/logoutd/logoutd/internal/access"
)

// follow opens a live page's stream of events and returns its lines.
func (v *visitor) follow(path string) *bufio.Scanner {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), http.MethodGet, v.server.URL+path, nil)
	v.must(err)
	r.Header.Set("Accept", "text/event-stream")
	response, err := v.client.Do(r)
	v.must(err)
	v.Cleanup(func() { _ = response.Body.Close() })
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "text/event-stream" {
		v.Fatalf("%s answers %s with %s", path, response.Status, response.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	return lines
}

// until reads lines up to one that holds a text.
func (v *visitor) until(lines *bufio.Scanner, text string) {
	v.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), text) {
			return
		}
	}
	v.Fatalf("no line holds %q: %v", text, lines.Err())
}

func TestTailOfEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.revoked(1))
	v := w.operator()
	p := v.get(http.StatusOK, "/console/events")
	if !p.has("user-1@example.com") || !p.has(`data-after="1"`) {
		t.Fatalf("the page of events: %s", p.text)
	}
	lines := v.follow("/console/events/live?after=1")
	w.must(w.revoked(2))
	v.until(lines, "event: rows")
	v.until(lines, "id: 2")
	v.until(lines, "user-2@example.com")
}

func TestOverviewIsLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.operator()
	lines := v.follow("/console/live")
	v.until(lines, "event: parts")
	w.fail(1, causes[2])
	v.until(lines, "9 revocations have failed")
	v.until(lines, "http_401")
}

func TestStreamsNeedASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.as(w.token("night", access.Viewer))
	v.until(v.follow("/console/live"), "event: parts")
	w.must(w.config.Access.Revoke(w.Context(), "night"))
	r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, w.server.URL+"/console/live", nil)
	w.must(err)
	r.Header.Set("Accept", "text/event-stream")
	v.do(http.StatusUnauthorized, r)
}

// TestLivePagesAreBounded by token, with the tails of the admin API.
func TestLivePagesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.as(w.token("night", access.Viewer))
	end := func() {}
	for range access.MaxTails {
		end, _ = w.config.Tails.Open("night")
	}
	r, err := http.NewRequestWithContext(w.Context(), http.MethodGet, w.server.URL+"/console/live", nil)
	w.must(err)
	r.Header.Set("Accept", "text/event-stream")
	v.do(http.StatusTooManyRequests, r)
	end()
	v.until(v.follow("/console/live"), "event: parts")
}
