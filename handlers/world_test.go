package handlers_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/forwarded"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/server"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/sqlitestore"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

// longEnough is a fence timeout that a busy machine does not reach.
const longEnough = 10 * time.Second

type storeFunc func(context.Context, []store.Fence) ([]store.Fenced, error)

func (f storeFunc) Fence(ctx context.Context, fences []store.Fence) ([]store.Fenced, error) {
	return f(ctx, fences)
}

type publisherFunc func(context.Context, ...messages.Request) error

func (f publisherFunc) Requests(ctx context.Context, requests ...messages.Request) error {
	return f(ctx, requests...)
}

var (
	storeDown storeFunc = func(context.Context, []store.Fence) ([]store.Fenced, error) {
		return nil, store.ErrUnavailable
	}
	storeHangs storeFunc = func(ctx context.Context, _ []store.Fence) ([]store.Fenced, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	brokerDown publisherFunc = func(context.Context, ...messages.Request) error {
		return broker.ErrUnavailable
	}
)

// world is a public listener with a store and a broker behind it.
type world struct {
	addr     string
	store    store.Store
	broker   *eventstest.Broker
	registry *prometheus.Registry
	logs     *testkit.Log
	sessions []string             // tokens registered
	expiries map[string]time.Time // of sessions that have expired, by id
	read     int                  // messages seen
	counted  map[string]float64
}

// worldSettings are the + lines of a case.
type worldSettings []string

func newWorld(t *testing.T, server *eventstest.Broker, settings worldSettings) *world {
	t.Helper()
	w := &world{
		store: openStore(t), broker: server, registry: prometheus.NewRegistry(), logs: &testkit.Log{},
		read: len(server.Messages(messages.StreamRequests)), counted: map[string]float64{}, expiries: map[string]time.Time{},
	}
	publisher := broker.NewPublisher(server.JS, nil)
	t.Cleanup(publisher.Close)
	cfg := handlers.Config{
		Store: w.store, Publisher: publisher, Secret: secret, FenceTimeout: longEnough,
		Registerer: w.registry,
		Logger:     slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, s := range settings {
		w.apply(t, &cfg, strings.Fields(s))
	}
	w.addr = listen(t, handlers.New(cfg), cfg.Logger)
	return w
}

// listen serves h as the public listener is served, and returns the address.
func listen(t *testing.T, h http.Handler, log *slog.Logger) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, served := server.New(server.Config{Handler: h, Logger: log}), make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), longEnough)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving: %v", err)
		}
	})
	return l.Addr().String()
}

func (w *world) apply(t *testing.T, cfg *handlers.Config, setting []string) {
	t.Helper()
	switch setting[0] {
	case "session":
		w.register(t, setting[1], setting[2:])
	case "unknown":
		cfg.PublishUnknown = setting[1] == "publish"
	case "store":
		cfg.Store = map[string]handlers.Store{"down": storeDown, "hangs": storeHangs}[setting[1]]
		cfg.FenceTimeout = time.Millisecond
	case "broker":
		cfg.Publisher = brokerDown
	case "cookies":
		cfg.SAP.Cookies = setting[1:]
	case "origins":
		cfg.SAP.Origins = setting[1:]
	case "trusted_origins":
		cfg.TrustedOrigins = setting[1:]
	case "redirect_origins":
		cfg.Elvis.RedirectOrigins = setting[1:]
	case "trusted_proxies":
		var err error
		if cfg.Proxies, err = forwarded.Parse(setting[1:]); err != nil {
			t.Fatal(err)
		}
	case "landing_page":
		cfg.Elvis.LandingPage = setting[1]
	default:
		t.Fatalf("unknown setting %q", setting)
	}
}

func (w *world) register(t *testing.T, token string, fields []string) {
	t.Helper()
	s := store.Session{ID: store.TokenID(token), ExpiresAt: time.Now().Add(time.Hour)}
	end := ""
	for _, field := range fields {
		switch key, value, _ := strings.Cut(field, "="); key {
		case "user":
			s.User.ID = value
		case "tenant":
			s.User.TenantID = value
		case "device":
			s.DeviceID = value
		case "app":
			s.AppID = value
		case "browser":
			s.Kind = store.KindBrowser
		case "expired":
			s.ExpiresAt = time.Now().Add(50 * time.Millisecond)
			end = key
		case "revoked", "cutoff":
			end = key
		default:
			t.Fatalf("unknown field %q", field)
		}
	}
	put(t, w.store, s)
	if end == "expired" {
		w.expiries[s.ID] = s.ExpiresAt.Truncate(time.Millisecond)
	}
	w.sessions = append(w.sessions, token)
	w.end(t, s, end)
}

// end ends a session in one of the ways there are.
func (w *world) end(t *testing.T, s store.Session, how string) {
	t.Helper()
	ctx := t.Context()
	switch how {
	case "revoked":
		fence(t, w.store, store.Fence{RequestID: "earlier", SessionID: s.ID})
	case "cutoff":
		fence(t, w.store, store.Fence{RequestID: "operator", User: s.User})
	case "":
		return
	}
	deadline := time.Now().Add(longEnough)
	for {
		states, err := w.store.Sessions(ctx, []string{s.ID})
		if err != nil {
			t.Fatal(err)
		}
		if !states[0].Active {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("session does not end")
		}
	}
}

func openStore(t *testing.T) store.Store {
	t.Helper()
	s, err := sqlitestore.Open(filepath.Join(t.TempDir(), "store.db"), sqlitestore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(t *testing.T, s store.Store, session store.Session) {
	t.Helper()
	results, err := s.PutSessions(t.Context(), []store.Session{session})
	if err != nil || results[0].Err != nil {
		t.Fatalf("registering session: %v, %v", err, results)
	}
}

func fence(t *testing.T, s store.Store, f store.Fence) {
	t.Helper()
	results, err := s.Fence(t.Context(), []store.Fence{f})
	if err != nil || results[0].Err != nil {
		t.Fatalf("fencing: %v, %v", err, results)
	}
}
