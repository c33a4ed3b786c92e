package workers_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// modelFront is a front end whose store and broker fail as the schedule says.
type modelFront struct {
	http.Handler
	m *model

	mu     sync.Mutex
	skip   skipped
	silent bool // the next acknowledgement of the broker is lost
}

// skipped is how a fence is skipped.
type skipped int

const (
	skippedNot   skipped = iota
	skippedNever         // it never takes effect
	skippedLate          // it takes effect later
	skippedTold          // it takes effect, and its answer is lost
	skippedWays
)

func newModelFront(m *model) *modelFront {
	f := &modelFront{m: m}
	js := &modelJetStream{modelBroker: m.broker, alive: func() error { return nil }, onAppend: f.appended}
	publisher := broker.NewPublisher(js, nil)
	m.t.Cleanup(publisher.Close)
	f.Handler = handlers.New(handlers.Config{
		Store: f, Publisher: publisher, FenceTimeout: 10 * time.Second, Logger: m.logger,
	})
	return f
}

func (f *modelFront) appended(msg *nats.Msg) error {
	if requests, err := messages.DecodeRequests(msg.Data); err == nil {
		f.m.truth.appended(requests)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.silent {
		f.silent = false
		return errors.New("the acknowledgement is lost")
	}
	return nil
}

// Fence is [handlers.Store].
func (f *modelFront) Fence(ctx context.Context, fences []store.Fence) ([]store.Fenced, error) {
	f.mu.Lock()
	how := f.skip
	f.mu.Unlock()
	do := func() ([]store.Fenced, error) {
		results, err := f.m.store.Fence(ctx, fences)
		for _, fence := range fences {
			f.m.truth.fenced(fence.SessionID)
		}
		return results, err
	}
	switch how {
	case skippedNever:
		return nil, store.ErrUnavailable
	case skippedLate:
		ctx = context.WithoutCancel(ctx)
		f.m.late = append(f.m.late, func() { _, _ = do() })
		return nil, store.ErrUnavailable
	case skippedTold:
		_, _ = do()
		return nil, store.ErrUnavailable
	default:
		return do()
	}
}

// logout sends a logout of version 1 or 2 and returns the status.
func (f *modelFront) logout(scope, token string, how skipped, silent bool) int {
	f.mu.Lock()
	f.skip, f.silent = how, silent
	f.mu.Unlock()
	path := map[string]string{"session": "/mobileservices/sessions/logout", "user": "/mobileservices/sessions/v2/logout"}[scope]
	r := httptest.NewRequest(http.MethodPost, path, nil)
	r.Header.Set("Cookie", "X-SMP-SESSID="+token)
	w := httptest.NewRecorder()
	f.ServeHTTP(w, r)
	return w.Code
}
