package http

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logoutd/logoutd/internal/httpclient"
	"github.com/logoutd/logoutd/workers/delivery"
)

// answering is a provider that answers 400 with what body makes of the request.
func answering(t *testing.T, body func(*http.Request) string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, body(r))
	}))
	t.Cleanup(server.Close)
	return server
}

func answerOf(t *testing.T, c settings, token string) string {
	t.Helper()
	var f *delivery.Failure
	if err := configured(t, c).Send(t.Context(), push(token)); !errors.As(err, &f) {
		t.Fatalf("%v, want a failure", err)
	}
	return f.Answer
}

func TestAnswerIsKept(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"reason":"BadDeviceToken"}`:           `{"reason":"BadDeviceToken"}`,
		"":                                      "",
		"two\r\nlines\tand \x1b[31mred\x00":     "two lines and [31mred",
		"turned \u202e around, \xff\xfe broken": `turned \u202e around, broken`,
		strings.Repeat("x", 2000):               strings.Repeat("x", 1024-len("…")) + "…",
		strings.Repeat("ü", 2000):               strings.Repeat("ü", (1024-len("…"))/2) + "…",
		strings.Repeat("y", 200_000):            strings.Repeat("y", 1024-len("…")) + "…",
	} {
		server := answering(t, func(*http.Request) string { return body })
		if got := answerOf(t, settings{URL: server.URL + "/{push_token}"}, "secret-token"); got != want {
			t.Errorf("%.40q: kept %q, want %q", body, got, want)
		}
	}
}

// TestAnswerHoldsNoCredential has a provider that says what it was sent, in
// every form.
func TestAnswerHoldsNoCredential(t *testing.T) {
	t.Parallel()
	const token = `tok/en+"quoted"<&>raw-ü-1234`
	echo := func(r *http.Request) string {
		all := []string{r.RequestURI, r.URL.Path, r.URL.RawQuery, fmt.Sprint(r.Header), fmt.Sprintf("%q", r.URL.Path)}
		user, password, _ := r.BasicAuth()
		all = append(all, user, password, strings.ToUpper(r.Header.Get("X-Key")), strings.ReplaceAll(r.URL.Path, "/", `\/`))
		return "no such thing: " + strings.Join(all, " | ")
	}
	server := answering(t, echo)
	address := strings.TrimPrefix(server.URL, "http://")
	for _, c := range []settings{
		{URL: server.URL + "/r/{push_token}?key=raw-in-the-query&t={push_token}"},
		{URL: server.URL + "/services/raw-a-long-part-of-the-path/{push_token}"},
		{URL: "http://raw-someone:raw-password@" + address + "/{push_token}"},
		{URL: server.URL + "/{push_token}", Headers: map[string]string{
			"Authorization": "Bearer raw-bearer", "X-Key": "raw-key-of-mine", "X-Sas": "SharedAccessSignature sr=raw-sr&sig=raw-sig%3D",
			"X-Old": "key=raw-old-key",
		}},
		{URL: server.URL + "/{push_token}", Headers: map[string]string{"Authorization": "Basic cmF3LXVzZXItbmFtZTpyYXctcGFzc3dvcmQ="}},
	} {
		said := answerOf(t, c, token)
		if !strings.HasPrefix(said, "no such thing: ") || !strings.Contains(said, "…") {
			t.Errorf("%s: kept %q", c.URL, said)
		}
		for _, secret := range []string{"raw-", "RAW-", "cmF3L", "quoted", "en%2B", "raw%2D"} {
			if strings.Contains(said, secret) {
				t.Errorf("%s: %s is in %q", c.URL, secret, said)
			}
		}
	}
}

// TestCredentialIsNotCutInTwo: what is read of an answer ends in the middle of
// a credential, and what is "…" before it is short.
func TestCredentialIsNotCutInTwo(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("secret-token-", 70)
	for shift := range 5 {
		server := answering(t, func(*http.Request) string {
			return strings.Repeat("-", shift*100) + strings.Repeat(token, 2*(64<<10)/len(token))
		})
		if said := answerOf(t, settings{URL: server.URL + "/{push_token}"}, token); strings.Contains(said, "secret") {
			t.Errorf("kept %q", said)
		}
	}
}

// TestHostileProvidersAreBounded: in memory and time, whatever they send.
func TestHostileProvidersAreBounded(t *testing.T) {
	t.Parallel()
	const timeout = 500 * time.Millisecond
	for name, tt := range map[string]struct {
		raw   func(io.Writer) error // writes more each time
		class delivery.Class
		done  bool
	}{
		"endless header": {raw: func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "X-%d: %s\r\n", time.Now().UnixNano(), strings.Repeat("x", 1000))
			return err
		}, class: delivery.Transient},
		"endless body": {raw: func(w io.Writer) error {
			_, err := io.WriteString(w, "\r\n"+strings.Repeat("x", 10_000))
			return err
		}, done: true},
		"trickle of a header": {raw: func(w io.Writer) error {
			<-time.After(timeout / 10)
			_, err := io.WriteString(w, "x")
			return err
		}, class: delivery.Transient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent countingWriter
			handled := make(chan struct{})
			end := sync.OnceFunc(func() { close(handled) })
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				defer end()
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				out := io.MultiWriter(conn, &sent)
				for _, err = io.WriteString(out, "HTTP/1.1 200 OK\r\n"); err == nil; err = tt.raw(out) {
				}
			}))
			defer server.Close()
			start := time.Now()
			err := configured(t, settings{URL: server.URL + "/{push_token}", Settings: delivery.Settings{Timeout: timeout}}).Send(t.Context(), push("secret-token"))
			var f *delivery.Failure
			if tt.done && err != nil || !tt.done && (!errors.As(err, &f) || f.Class != tt.class) {
				t.Errorf("%v", err)
			}
			if took := time.Since(start); took > 10*timeout {
				t.Errorf("it took %s", took)
			}
			<-handled // no server waits for a connection that was taken from it
			// What the sockets hold comes on top of what is read.
			if sent.n > 8<<20 {
				t.Errorf("%d bytes were taken", sent.n)
			}
		})
	}
}

type countingWriter struct{ n int }

func (c *countingWriter) Write(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}

func TestProvidersSeeWhoCalls(t *testing.T) {
	t.Parallel()
	var agents []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { agents = append(agents, r.UserAgent()) }))
	defer server.Close()
	for _, headers := range []map[string]string{nil, {"User-Agent": "mine"}} {
		if err := configured(t, settings{URL: server.URL + "/{push_token}", Headers: headers}).Send(t.Context(), push("t")); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasPrefix(agents[0], "logoutd/") || !strings.Contains(agents[0], "(commit ") || agents[1] != "mine" {
		t.Errorf("User-Agent %q", agents)
	}
}

// TestLimitsOfTheClient: an answer at the limit is read, one beyond it fails.
func TestLimitsOfTheClient(t *testing.T) {
	t.Parallel()
	for size, fails := range map[int]bool{99: false, 100: false, 101: true} {
		server := answering(t, func(*http.Request) string { return strings.Repeat("x", size) })
		response, err := httpclient.New(httpclient.Config{MaxBody: 100}).Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if len(body) != min(size, 100) || errors.Is(err, httpclient.ErrTooLarge) != fails {
			t.Errorf("%d bytes: read %d, %v", size, len(body), err)
		}
	}
}
