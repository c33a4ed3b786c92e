package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

const hostileCookies = 1000 // about as many as 16 KiB of header have room for

// hostileRequest presents many sessions, the last of which is token.
func hostileRequest(token string) *http.Request {
	r := logoutRequest("")
	var cookies strings.Builder
	for i := range hostileCookies - 1 {
		fmt.Fprintf(&cookies, "JSESSIONID=h%d;", i)
	}
	r.Header.Set("Cookie", cookies.String()+"JSESSIONID="+token)
	return r
}

// TestHostileRequestHarmsNobody: 99 clients log out while one presents a
// thousand credentials. It shares no call of the store with them, holds none
// of them up, and becomes one entry.
func TestHostileRequestHarmsNobody(t *testing.T) {
	t.Parallel()
	for _, skipped := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) { hostileRequestHarmsNobody(t, skipped) })
	}
}

func hostileRequestHarmsNobody(t *testing.T, skipped bool) {
	clean := map[string]bool{}
	for i := range 99 {
		clean[store.TokenID(fmt.Sprint("tok-", i))] = true
	}
	var mu sync.Mutex
	var published []messages.Request
	h := handlers.New(handlers.Config{
		FenceTimeout: longEnough,
		Store: storeFunc(func(_ context.Context, fences []store.Fence) ([]store.Fenced, error) {
			mine := 0
			for _, f := range fences {
				if clean[f.SessionID] {
					mine++
				}
			}
			if mine != 0 && mine != len(fences) || len(fences) > messages.MaxBatch {
				t.Errorf("a call for %d sessions, %d of them of clean clients", len(fences), mine)
			}
			if mine == 0 {
				time.Sleep(time.Second)
			}
			if skipped {
				return nil, store.ErrUnavailable
			}
			return fencesAll(store.FenceFenced)(context.Background(), fences)
		}),
		Publisher: publisherFunc(func(_ context.Context, requests ...messages.Request) error {
			mu.Lock()
			defer mu.Unlock()
			published = append(published, requests...)
			return nil
		}),
	})
	begin := time.Now()
	var waiting sync.WaitGroup
	waiting.Go(func() {
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, hostileRequest("tok-alice")); w.Code != http.StatusNoContent {
			t.Errorf("hostile: status %d", w.Code)
		}
		if time.Since(begin) < time.Second {
			t.Error("the hostile request did not wait for its fence")
		}
	})
	for i := range 99 {
		waiting.Go(func() {
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, kratosRequest(fmt.Sprint("tok-", i))); w.Code != http.StatusNoContent {
				t.Errorf("status %d", w.Code)
			}
			if took := time.Since(begin); took > 100*time.Millisecond {
				t.Errorf("answered after %v", took)
			}
		})
	}
	waiting.Wait()
	named := 0
	for _, r := range published {
		named += max(1, len(r.Candidates))
	}
	if len(published) != 99+1 || named != 99+hostileCookies {
		t.Errorf("%d entries for %d sessions", len(published), named)
	}
}

// TestFewOfManyAreKnown: what the store knows is published as it is of others.
func TestFewOfManyAreKnown(t *testing.T) {
	t.Parallel()
	alice := store.TokenID("tok-alice")
	_, published := serve(handlers.Config{Store: storeFunc(func(_ context.Context, fences []store.Fence) ([]store.Fenced, error) {
		results := make([]store.Fenced, len(fences))
		for i, f := range fences {
			if results[i].Outcome = store.FenceUnknown; f.SessionID == alice {
				results[i] = store.Fenced{Outcome: store.FenceFenced, Session: store.Session{ID: alice, User: store.User{ID: "alice"}}}
			}
		}
		return results, nil
	})}, hostileRequest("tok-alice"))
	if len(published) != 1 || published[0].SessionID != alice || published[0].UserID != "alice" || published[0].Candidates != nil {
		t.Errorf("published %+v", published)
	}
}

// TestHostileRequestIsRead: what the broker keeps of it is read as ordinary
// requests.
func TestHostileRequestIsRead(t *testing.T) {
	t.Parallel()
	server := eventstest.Start(t)
	w := newWorld(t, server, worldSettings{"store down"})
	head := "POST /mobileservices/sessions/v2/logout HTTP/1.1\r\nHost: logout.example\r\nCookie: "
	if answer := send(t, w.addr, head+hostileRequest("tok-alice").Header.Get("Cookie")+"\r\n\r\n"); !strings.HasPrefix(answer, "HTTP/1.1 204 ") {
		t.Fatalf("answer %s", answer)
	}
	if msgs := server.Messages(messages.StreamRequests); len(msgs) != 1 || len(msgs[0].Data) > messages.MaxBatchBytes {
		t.Fatalf("%d messages", len(msgs))
	}
	requests := w.published(t)
	ids := map[string]bool{}
	for _, r := range requests {
		if r.ID != messages.RequestID("user", r.SessionID) || r.Scope != "user" || r.Fenced || r.Candidates != nil {
			t.Fatalf("request %+v", r)
		}
		ids[r.ID] = true
	}
	if len(ids) != hostileCookies || !ids[messages.RequestID("user", store.TokenID("tok-alice"))] {
		t.Errorf("%d requests", len(ids))
	}
}
