package admin_test

import (
	"github.com/go-json-experiment/json/jsontext"
	targethttp "github.com/logoutd/logoutd/workers/targets/http"

	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/handlers/admin"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/sqlitestore"
)

// Everything secret in these tests begins with raw, which must show nowhere.
const (
	raw        = "raw-"
	adminToken = raw + "admin-token"
)

// world is an admin API with a real store and a real broker.
type world struct {
	t       *testing.T
	config  admin.Config
	store   *switchable
	broker  *eventstest.Broker
	server  *httptest.Server
	log     *testkit.Log
	answers testkit.Log // everything that was answered
}

func newWorld(t *testing.T, change ...func(*admin.Config)) *world {
	t.Helper()
	w := &world{t: t, store: newStore(t), broker: eventstest.Start(t), log: &testkit.Log{}}
	publisher := broker.NewPublisher(w.broker.JS, nil)
	t.Cleanup(publisher.Close)
	w.config = admin.Config{
		Describe: func(_ string, payload jsontext.Value) []messages.Detail { return targethttp.Kind.Describe(payload) },
		Store:    w.store, Publisher: publisher, DeadLetters: deadletters.NewDeadLetters(w.broker.JS),
		JetStream: w.broker.JS, Token: adminToken,
		CSRFToken: func(id string) string { return "csrf-of-" + id },
		Logger:    slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	w.operations()
	for _, f := range change {
		f(&w.config)
	}
	w.server = httptest.NewServer(admin.New(w.config))
	t.Cleanup(w.server.Close)
	t.Cleanup(w.leaksNothing)
	return w
}

func (w *world) leaksNothing() {
	for where, text := range map[string]string{"the log": w.log.String(), "an answer": w.answers.String()} {
		if i := strings.Index(text, raw); i >= 0 {
			w.t.Errorf("%s holds a raw credential: …%s…", where, text[max(0, i-80):min(len(text), i+80)])
		}
	}
}

// answer is what a call answered.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) text(name string) string {
	s, _ := a.body[name].(string)
	return s
}

func (w *world) request(method, path string, body io.Reader) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+adminToken)
	return r
}

func (w *world) do(r *http.Request) answer {
	w.t.Helper()
	response, err := w.server.Client().Do(r)
	if err != nil {
		w.t.Fatalf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.TeeReader(response.Body, &w.answers))
	if err != nil {
		w.t.Fatalf("%s %s: reading answer: %v", r.Method, r.URL.Path, err)
	}
	if err := theContract(w.t).check(r, response, content); err != nil {
		w.t.Errorf("%s %s: %d %s is not what %s promises: %v", r.Method, r.URL.Path, response.StatusCode, content, documentFile, err)
	}
	a := answer{status: response.StatusCode, header: response.Header}
	if err := json.Unmarshal(content, &a.body); err != nil && len(content) > 0 {
		w.t.Fatalf("%s %s: answer %q is not JSON: %v", r.Method, r.URL.Path, content, err)
	}
	return a
}

// call sends a body as it is.
func (w *world) call(method, path, body string) answer {
	w.t.Helper()
	return w.do(w.request(method, path, strings.NewReader(body)))
}

// must is call for what has to succeed.
func (w *world) must(status int, method, path, body string) answer {
	w.t.Helper()
	a := w.call(method, path, body)
	if a.status != status {
		w.t.Fatalf("%s %s %s: %d %v, want %d", method, path, body, a.status, a.body, status)
	}
	return a
}

// refused checks that an answer is a problem document.
func (w *world) refused(a answer, status int, field, detail string) {
	w.t.Helper()
	if a.status != status || a.text("field") != field || !strings.Contains(a.text("detail"), detail) {
		w.t.Errorf("got %d %v, want %d with field %q and detail %q", a.status, a.body, status, field, detail)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		w.t.Errorf("Content-Type is %q", got)
	}
	if a.body["status"] != float64(status) || a.text("title") == "" || a.text("type") == "" {
		w.t.Errorf("not a complete problem document: %v", a.body)
	}
}

// requests returns the logout requests on the stream.
func (w *world) requests() []messages.Request {
	w.t.Helper()
	var requests []messages.Request
	for _, msg := range w.broker.Messages(messages.StreamRequests) {
		batch, err := messages.DecodeRequests(msg.Data)
		if err != nil {
			w.t.Fatal(err)
		}
		requests = append(requests, batch...)
	}
	return requests
}

// active asks whether a token is active.
func (w *world) active(token string) bool {
	w.t.Helper()
	return w.must(http.StatusOK, "POST", "/v1/introspect", "token="+token).body["active"] == true
}

// later and earlier are times as the API wants them.
func later() string { return time.Now().Add(time.Hour).UTC().Format(time.RFC3339Nano) }

func earlier(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339Nano) }

// switchable is a store that can be away.
type switchable struct {
	store.Store
	away  atomic.Bool
	calls atomic.Int32 // left until it goes away; 0: it does not
}

func newStore(t *testing.T) *switchable {
	t.Helper()
	s, err := sqlitestore.Open(filepath.Join(t.TempDir(), "store.db"), sqlitestore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &switchable{Store: s}
}

func (s *switchable) check() error {
	if s.calls.Load() > 0 && s.calls.Add(-1) == 0 {
		s.away.Store(true)
	}
	if s.away.Load() {
		return errors.Join(errors.New("dial redis://internal-host:6379"), store.ErrUnavailable)
	}
	return nil
}

func (s *switchable) PutSessions(ctx context.Context, items []store.Session) ([]store.PutResult, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return s.Store.PutSessions(ctx, items)
}

func (s *switchable) PutRefreshTokens(ctx context.Context, items []store.RefreshToken) ([]store.PutResult, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return s.Store.PutRefreshTokens(ctx, items)
}

func (s *switchable) PutPushRegistrations(ctx context.Context, items []store.PushRegistration) ([]store.PutResult, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return s.Store.PutPushRegistrations(ctx, items)
}

func (s *switchable) Sessions(ctx context.Context, ids []string) ([]store.SessionState, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return s.Store.Sessions(ctx, ids)
}

func (s *switchable) Fence(ctx context.Context, fences []store.Fence) ([]store.Fenced, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	return s.Store.Fence(ctx, fences)
}
