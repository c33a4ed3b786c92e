package console_test

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/logoutd/logoutd/workers/delivery"
	targethttp "github.com/logoutd/logoutd/workers/targets/http"

	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/handlers/console"
	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/bulk"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/forwarded"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/overview"
	"github.com/logoutd/logoutd/internal/replay"
	"github.com/logoutd/logoutd/internal/status"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/sqlitestore"
	"github.com/logoutd/logoutd/workers"
)

// Everything secret in these tests begins with raw, which must show nowhere.
const (
	raw       = "raw-"
	rootToken = raw + "admin-token"
)

// limit is how long a test may take. What hangs fails then, and tells where.
const limit = 2 * time.Minute

// world is a console on everything that it needs, all of it real.
type world struct {
	*testing.T
	ctx       context.Context
	config    console.Config
	broker    *eventstest.Broker
	publisher *broker.Publisher
	store     store.Store
	server    *httptest.Server
	log       *testkit.Log
	accepted  prometheus.Counter // by the front role of the process
	answers   testkit.Log        // everything that was answered
}

func newWorld(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	t.Cleanup(cancel)
	w := &world{T: t, ctx: ctx, broker: eventstest.Start(t), log: &testkit.Log{}}
	js, logger := w.broker.JS, slog.New(slog.NewTextHandler(w.log, nil))
	w.publisher = broker.NewPublisher(js, nil)
	t.Cleanup(w.publisher.Close)
	w.openStore()

	projection, err := deadletters.Open(deadletters.Config{JetStream: js, Path: filepath.Join(t.TempDir(), "letters.db"), Logger: logger})
	w.must(err)
	t.Cleanup(func() { w.must(projection.Close()) })
	log, works := audit.New(js), map[string]jobs.Work{}
	all := jobs.New(jobs.Config{JetStream: js, Works: works, Logger: logger, Instance: "test", Changed: finished(log)})
	replays := replay.New(replay.Config{Letters: projection, DeadLetters: deadletters.NewDeadLetters(js), Jobs: all, Store: w.store})
	many := bulk.New(bulk.Config{Store: w.store, Publisher: w.publisher, Jobs: all})
	for _, of := range []map[string]jobs.Work{replays.Works(), many.Works()} {
		for kind, work := range of {
			works[kind] = work
		}
	}
	registry := prometheus.NewRegistry()
	w.accepted = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "logoutd_logout_requests_total", ConstLabels: prometheus.Labels{"outcome": "accepted"},
	})
	registry.MustRegister(w.accepted)
	tokens := access.New(access.Config{JetStream: js, Root: rootToken})
	first := overview.New(overview.Config{
		JetStream: js, Targets: w.targets(), Letters: projection, Jobs: all, Store: w.store,
		Gatherer: registry, Interval: 100 * time.Millisecond,
	})
	lifetime, stop := context.WithCancel(context.Background())
	w.config = console.Config{
		Describe: func(_ string, payload jsontext.Value) []messages.Detail { return targethttp.Kind.Describe(payload) },
		Letters:  projection, DeadLetters: deadletters.NewDeadLetters(js), Replays: replays, Bulk: many, Jobs: all, Audit: log,
		Access: tokens, Status: status.New(status.Config{Store: w.store, Letters: projection, JetStream: js}), Overview: first,
		JetStream: js, Sessions: access.NewSessions(access.SessionsConfig{JetStream: js, Tokens: tokens}), Tails: access.NewTails(nil), Lifetime: lifetime, Logger: logger,
	}
	w.run(projection.Run, all.Run, tokens.Run, first.Run, w.config.Sessions.Run, log.Run)
	w.eventually("the tokens", tokens.Loaded)
	w.server = httptest.NewServer(console.New(w.config))
	t.Cleanup(w.server.Close)
	t.Cleanup(stop) // before the server waits for its live pages
	t.Cleanup(w.leaksNothing)
	return w
}

// work has workers do what is replayed and requested; every push provider
// answers well.
func (w *world) work() {
	w.Helper()
	metrics, quiet := workers.NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	w.Cleanup(provider.Close)
	var targets []delivery.Configured
	for _, t := range w.targets() {
		targets = append(targets, testkit.Target(w, targethttp.Kind, fmt.Sprintf("{name: %s, kind: http, url: %q}", t.Name, provider.URL+"/{push_token}")))
	}
	w.run(workers.NewRevoker(workers.RevokerConfig{
		JetStream: w.broker.JS, Publisher: w.publisher, Store: w.store, Targets: targets, Metrics: metrics, Logger: quiet,
	}).Run)
	for _, target := range targets {
		w.run(delivery.NewWorker(delivery.Config{
			Target: target, JetStream: w.broker.JS, Publisher: w.publisher, Store: w.store, Metrics: metrics.Metrics, Logger: quiet,
		}).Run)
	}
}

func (w *world) targets() []messages.TargetName {
	return []messages.TargetName{{Kind: "http", Name: "fcm"}, {Kind: "http", Name: "apns"}, {Kind: "http", Name: "http"}}
}

// trusting serves the console once more, to proxies that it trusts, and returns
// its address.
func (w *world) trusting(proxies ...string) string {
	w.Helper()
	config := w.config
	var err error
	config.Proxies, err = forwarded.Parse(proxies)
	w.must(err)
	server := httptest.NewServer(console.New(config))
	w.Cleanup(server.Close)
	return server.URL
}

// Context ends with the test, or at its limit.
func (w *world) Context() context.Context { return w.ctx }

// finished leaves a trace of a job's end, as the program does.
func finished(log *audit.Log) func(before, after jobs.Job) {
	return func(_, job jobs.Job) {
		if job.State.Finished() {
			_ = log.Append(context.Background(), audit.Entry{By: job.By, Action: audit.ActionJobFinish, Reason: job.Reason, JobID: job.ID, Counts: job.Counts})
		}
	}
}

func (w *world) openStore() {
	w.Helper()
	opened, err := sqlitestore.Open(filepath.Join(w.TempDir(), "store.db"), sqlitestore.Config{})
	w.must(err)
	w.Cleanup(func() { w.must(opened.Close()) })
	w.store = opened
}

// run runs what a program does besides, until the test ends.
func (w *world) run(all ...func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range all {
		running.Go(func() {
			if err := run(ctx); err != nil {
				w.Errorf("running: %v", err)
			}
		})
	}
	w.Cleanup(func() { cancel(); running.Wait() })
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%v; log:\n%s", err, w.log)
	}
}

func (w *world) leaksNothing() {
	for where, text := range map[string]string{"the log": w.log.String(), "a page": w.answers.String()} {
		if i := strings.Index(text, raw); i >= 0 {
			w.Errorf("%s holds a raw credential: …%s…", where, text[max(0, i-80):min(len(text), i+80)])
		}
	}
}

// eventually polls until ok.
func (w *world) eventually(what string, ok func() bool) {
	w.Helper()
	testkit.Eventually(w, what, ok, w.log)
}

// cause is why some letters failed.
type cause struct {
	step, target, code, text string
	letters                  int
}

var causes = []cause{
	{"http", "fcm", "http_503", "the target answers 503 Service Unavailable", 34},
	{"http", "apns", "timeout", "no answer in time", 21},
	{"http", "http", "http_401", "the target answers 401 Unauthorized", 9},
	{"http", "http", "bad_value", "the values do not make a URL", 4},
}

// fail records letters of causes, times over, and waits until the console
// knows them.
func (w *world) fail(times int, all ...cause) {
	w.Helper()
	var publishing errgroup.Group
	publishing.SetLimit(32)
	for k, c := range all {
		for i := range c.letters * times {
			publishing.Go(func() error { return w.publisher.DeadLetter(w.Context(), c.letter(k, i), uint64(i)) })
		}
	}
	w.must(publishing.Wait())
	w.must(w.config.Letters.Settled(w.Context()))
}

// letter is the i-th letter of a cause, given up some time ago.
func (c cause) letter(k, i int) messages.DeadLetter {
	ago := func(d time.Duration) events.Time { return events.At(time.Now().Add(-d)) }
	age := time.Duration(k*7+i)*3*time.Second + 40*time.Second
	session := store.TokenID(fmt.Sprintf("session %d of cause %d", i, k))
	request := messages.Request{
		ID: messages.RequestID("session", session), Dialect: "sap_v1", Initiator: messages.InitiatorUser, Scope: "session", SessionID: session,
		TenantID: "acme", AppID: "wallet", UserID: fmt.Sprintf("user-%d@example.com", i*7%997), DeviceID: fmt.Sprintf("pixel-%d", i),
		RequestedAt: ago(age + 25*time.Minute), Cutoff: ago(age + 25*time.Minute), Fenced: true,
	}
	push := testkit.Registration{
		ID: fmt.Sprintf("push-%d-%d", k, i), UserID: request.UserID, TenantID: request.TenantID, DeviceID: request.DeviceID,
		AppID: request.AppID, Provider: c.target, PushToken: "f3Kq-" + raw + "push-token-of-more-than-32-characters", RegisteredAt: ago(age + 30*24*time.Hour),
	}
	task := testkit.PushDelivery(request, request.Cutoff, push)
	var history messages.History
	for n, wait := range []time.Duration{24 * time.Minute, 20 * time.Minute, 12 * time.Minute, 0} {
		history = history.Failed(messages.Attempted{At: ago(age + wait), Step: c.step, Code: c.code, Error: c.text, Attempts: 3, Delivered: n + 1})
	}
	return messages.DeadLetter{
		ID: task.ID, Step: c.step, Target: c.target, Code: c.code, Error: c.text, Attempts: history.Attempts, History: history,
		FirstFailedAt: history.FirstFailedAt, LastFailedAt: history.LastFailedAt, FailedAt: ago(age), Request: &request, Delivery: &task,
	}
}

// login registers sessions of an app, one for each user.
func (w *world) login(app string, users int) {
	w.Helper()
	sessions := make([]store.Session, users)
	for i := range sessions {
		sessions[i] = store.Session{
			ID: session(app, i), User: store.User{TenantID: "acme", ID: fmt.Sprintf("user-%d@example.com", i)},
			AppID: app, DeviceID: fmt.Sprintf("device-%d", i), ExpiresAt: time.Now().Add(time.Hour),
		}
	}
	_, err := w.store.PutSessions(w.Context(), sessions)
	w.must(err)
}

// visitor is a browser without scripts.
type visitor struct {
	*world
	client *http.Client
}

func (w *world) visitor() *visitor {
	jar, _ := cookiejar.New(nil) // never fails
	return &visitor{w, &http.Client{Jar: jar, Transport: w.server.Client().Transport}}
}

// operator is a visitor who has logged in with the root token.
func (w *world) operator() *visitor { return w.as(rootToken) }

func (w *world) as(token string) *visitor {
	w.Helper()
	v := w.visitor()
	if page := v.post(http.StatusOK, "/console/login", url.Values{"token": {token}}); !page.has("Overview") {
		w.Fatalf("the login leads to %s", page.text)
	}
	return v
}

// token makes a named token and returns its secret.
func (w *world) token(name string, role access.Role) string {
	w.Helper()
	secret, _, err := w.config.Access.Create(w.Context(), name, role, access.RootName)
	w.must(err)
	return secret
}

// page is what a visitor sees.
type page struct {
	path   string // where the browser ended up
	header http.Header
	text   string
}

func (p page) has(text string) bool { return strings.Contains(p.text, text) }

func (v *visitor) get(status int, path string) page {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), http.MethodGet, v.server.URL+path, nil)
	v.must(err)
	return v.do(status, r)
}

func (v *visitor) post(status int, path string, form url.Values) page {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), http.MethodPost, v.server.URL+path, strings.NewReader(form.Encode()))
	v.must(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(status, r)
}

func (v *visitor) do(status int, r *http.Request) page {
	v.Helper()
	response, err := v.client.Do(r)
	v.must(err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.TeeReader(response.Body, &v.answers))
	v.must(err)
	if response.StatusCode != status {
		v.Fatalf("%s %s answers %d, not %d: %s", r.Method, r.URL.Path, response.StatusCode, status, text)
	}
	return page{response.Request.URL.Path, response.Header, string(text)}
}

// anyLetter returns the id of some letter.
func (w *world) anyLetter() string {
	w.Helper()
	page, err := w.config.Letters.List(w.Context(), deadletters.Filter{}, "", 1)
	w.must(err)
	if len(page.Letters) == 0 {
		w.Fatal("there is no letter")
	}
	return page.Letters[0].ID
}

// tick is the time in which another login is let in.
func tick() <-chan time.Time { return time.After(250 * time.Millisecond) }

// session is the id of a session that login has registered.
func session(app string, i int) string { return store.TokenID(fmt.Sprintf("%s %d", app, i)) }

// active reports whether a session is live.
func (w *world) active(app string, i int) bool {
	w.Helper()
	states, err := w.store.Sessions(w.Context(), []string{session(app, i)})
	w.must(err)
	return states[0].Active
}
