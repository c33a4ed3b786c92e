package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// recorder is a publisher that keeps what it is given.
type recorder struct{ requests []messages.Request }

func (r *recorder) Requests(_ context.Context, requests ...messages.Request) error {
	r.requests = append(r.requests, requests...)
	return nil
}

// fencesTo is a store that answers every fence of a single session alike.
func fencesTo(fenced store.Fenced) storeFunc {
	return func(context.Context, []store.Fence) ([]store.Fenced, error) {
		return []store.Fenced{fenced}, nil
	}
}

func logoutRequest(token string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/mobileservices/sessions/v2/logout", nil)
	r.AddCookie(&http.Cookie{Name: "X-SMP-SESSID", Value: token})
	return r
}

// serve returns the status of a request and what it made cfg's handler publish.
func serve(cfg handlers.Config, r *http.Request) (int, []messages.Request) {
	published := &recorder{}
	cfg.Publisher = published
	w := httptest.NewRecorder()
	handlers.New(cfg).ServeHTTP(w, r)
	return w.Code, published.requests
}

// TestRequest tells what the worker gets to know, by what the fence found.
func TestRequest(t *testing.T) {
	t.Parallel()
	authenticated := time.Date(2024, 1, 2, 3, 4, 5, 678e6, time.UTC)
	cutoff := authenticated.Add(time.Minute)
	session := store.Session{
		User: store.User{TenantID: "acme", ID: "alice"}, DeviceID: "phone", AppID: "notes",
		AuthenticatedAt: authenticated,
	}
	unwritable := session
	unwritable.DeviceID = "\xff"
	microseconds := session // written as milliseconds
	microseconds.AuthenticatedAt = time.UnixMilli(authenticated.UnixMicro())
	sessionID := store.TokenID("tok-alice")
	blank := messages.Request{
		ID: "user-" + sessionID, Dialect: "sap_v2", Initiator: "user", Scope: "user", SessionID: sessionID,
		TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
	full := blank
	full.UserID, full.TenantID, full.DeviceID, full.AppID = "alice", "acme", "phone", "notes"
	full.AuthenticatedAt, full.Cutoff, full.Fenced = events.At(authenticated), events.At(cutoff), true
	known := blank
	known.Cutoff = events.At(cutoff)
	elsewhere := known
	elsewhere.Fenced = true

	for _, c := range []struct {
		name   string
		fenced store.Fenced
		want   messages.Request
	}{
		{"fenced", store.Fenced{Outcome: store.FenceFenced, Session: session, Cutoff: cutoff}, full},
		{"ended before", store.Fenced{Outcome: store.FenceEnded, Session: session, Cutoff: cutoff}, full},
		{"ids that JSON cannot carry", store.Fenced{Outcome: store.FenceFenced, Session: unwritable, Cutoff: cutoff}, known},
		{"a time that JSON cannot carry", store.Fenced{Outcome: store.FenceFenced, Session: microseconds, Cutoff: microseconds.AuthenticatedAt}, blank},
		{"kept elsewhere", store.Fenced{Outcome: store.FenceUnknown, Cutoff: cutoff}, elsewhere},
		{"this item failed", store.Fenced{Err: errors.New("wrong type")}, blank},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := logoutRequest("tok-alice")
			r.Header.Set("Traceparent", blank.TraceParent)
			before := events.At(time.Now())
			status, published := serve(handlers.Config{Store: fencesTo(c.fenced), PublishUnknown: true}, r)
			if status != http.StatusNoContent || len(published) != 1 {
				t.Fatalf("status %d, published %v", status, published)
			}
			wantRequest(t, c.want, published[0], before)
		})
	}
}

// wantRequest checks a request that was made just now, since before. The front's
// clock makes no cutoff.
func wantRequest(t *testing.T, want, got messages.Request, before events.Time) {
	t.Helper()
	wantNow(t, "requested at", before, &got.RequestedAt)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// wantNow checks that a time lies between before and now, and blanks it.
func wantNow(t *testing.T, what string, before events.Time, at *events.Time) {
	t.Helper()
	if at.Before(before.Time) || at.After(time.Now()) {
		t.Errorf("%s: %s is not now", what, at)
	}
	*at = events.Time{}
}

// TestFenceRequest tells what the store is asked for.
func TestFenceRequest(t *testing.T) {
	t.Parallel()
	var asked []store.Fence
	start := time.Now()
	records := storeFunc(func(ctx context.Context, fences []store.Fence) ([]store.Fenced, error) {
		deadline, _ := ctx.Deadline()
		if timeout := 50 * time.Millisecond; deadline.Before(start.Add(timeout)) || deadline.After(time.Now().Add(timeout)) {
			t.Errorf("the store has until %s, want 50ms", deadline)
		}
		asked = append(asked, fences...)
		return make([]store.Fenced, len(fences)), nil
	})
	r := logoutRequest("tok-alice")
	r.AddCookie(&http.Cookie{Name: "JSESSIONID", Value: "tok-bob"})
	serve(handlers.Config{Store: records}, r)
	alice, bob := store.TokenID("tok-alice"), store.TokenID("tok-bob")
	want := []store.Fence{{RequestID: "user-" + alice, SessionID: alice}, {RequestID: "user-" + bob, SessionID: bob}}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestSlowStoreIsSkipped(t *testing.T) {
	t.Parallel()
	start := time.Now()
	status, published := serve(handlers.Config{Store: storeHangs}, logoutRequest("tok-alice"))
	if status != http.StatusNoContent || len(published) != 1 || published[0].Fenced {
		t.Errorf("status %d, published %v", status, published)
	}
	if took := time.Since(start); took < 50*time.Millisecond || took > longEnough {
		t.Errorf("the answer took %s, want little more than 50ms", took)
	}
}

func TestSlowBrokerIsUnavailable(t *testing.T) {
	t.Parallel()
	h := handlers.New(handlers.Config{
		Store: storeDown, AcceptTimeout: 20 * time.Millisecond,
		Publisher: publisherFunc(func(ctx context.Context, _ ...messages.Request) error {
			<-ctx.Done()
			return ctx.Err()
		}),
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, logoutRequest("tok-alice"))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("answer %d %v, want 503 with Retry-After", w.Code, w.Header())
	}
}

func TestTraceParentIsFresh(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, incoming := range []string{"", "", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "garbage"} {
		r := logoutRequest("tok-alice")
		r.Header.Set("Traceparent", incoming)
		_, published := serve(handlers.Config{Store: storeDown}, r)
		got := published[0].TraceParent
		if len(got) != 55 || !strings.HasPrefix(got, "00-") || got == incoming || seen[got] {
			t.Errorf("traceparent %q becomes %q", incoming, got)
		}
		seen[got] = true
	}
}

// fencesAll is a store that answers every fence with an outcome.
func fencesAll(outcome store.FenceOutcome) storeFunc {
	return func(_ context.Context, fences []store.Fence) ([]store.Fenced, error) {
		results := make([]store.Fenced, len(fences))
		for i := range results {
			results[i].Outcome = outcome
		}
		return results, nil
	}
}
