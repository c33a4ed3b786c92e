package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var answers = map[string]http.HandlerFunc{
	"nothing":       func(http.ResponseWriter, *http.Request) {},
	"only a header": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-A", "1") },
	"204": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		if _, err := io.WriteString(w, "x"); err != http.ErrBodyNotAllowed {
			panic(err)
		}
	},
	"304": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("ETag", `"1"`)
		w.WriteHeader(http.StatusNotModified)
	},
	"http.Error":    func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusForbidden) },
	"http.Redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/b c?d", http.StatusFound) },
	"cookies": func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", Path: "/"})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "x y", HttpOnly: true})
		http.SetCookie(w, &http.Cookie{Name: "a", MaxAge: -1})
		w.WriteHeader(http.StatusFound)
	},
	"JSON sniffed": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"a": 1}`) },
	"HTML sniffed": func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html>"))
		_, _ = w.Write([]byte("x"))
	},
	"typed": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	},
	"compressed": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "{}")
	},
	"untyped": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		_, _ = io.WriteString(w, "{}")
	},
	"changed too late": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-A", "1")
		_, _ = io.WriteString(w, "x")
		w.Header().Set("X-A", "2")
		w.Header().Set("X-B", "2")
	},
	"several values": func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Vary"] = []string{"Origin", "Accept"}
		w.Header().Set("X-A", "1\r\nX-Split: 2")
	},
	"Connection: close": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "x")
	},
	"unusual status": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) },
}

// TestAnswersAreThoseOfNetHTTP, but for the order of fields.
func TestAnswersAreThoseOfNetHTTP(t *testing.T) {
	t.Parallel()
	for name, h := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			theirs, ours := httptest.NewServer(h), start(t, h)
			defer theirs.Close()
			for _, request := range []string{
				"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
				"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
				"POST / HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
			} {
				want, got := everything(t, theirs.Listener.Addr().String(), request), everything(t, ours, request)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%q: -net/http +this:\n%s", request, diff)
				}
			}
		})
	}
}

// everything returns the lines of all answers to what is sent, each header
// sorted and without its Date.
func everything(t *testing.T, addr, request string) (lines []string) {
	t.Helper()
	c := dial(t, addr)
	c.send(request)
	raw, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	var header []string
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if name, _, found := strings.Cut(line, ": "); found && !strings.Contains(name, "{") {
			if name != "Date" {
				header = append(header, line)
			}
			continue
		}
		slices.Sort(header)
		lines, header = append(append(lines, header...), line), nil
	}
	if n := strings.Count(string(raw), "\r\nDate: "); n != strings.Count(string(raw), "HTTP/1.1 ") {
		t.Errorf("Date stands there %d times: %q", n, raw)
	}
	return lines
}

// TestWriteAfterTheHandler has returned is an error, and nothing else.
func TestWriteAfterTheHandler(t *testing.T) {
	t.Parallel()
	var kept http.ResponseWriter
	c := dial(t, start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { kept = w })))
	c.send(logout)
	c.expect(http.StatusOK)
	kept.WriteHeader(http.StatusTeapot)
	if _, err := io.WriteString(kept, "x"); err == nil {
		t.Error("it can be written")
	}
	c.send(logout)
	c.expect(http.StatusOK)
}
