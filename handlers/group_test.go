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

	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

func kratosRequest(token string) *http.Request {
	r := httptest.NewRequest(http.MethodDelete, "/self-service/logout/api", strings.NewReader(`{"session_token":"`+token+`"}`))
	r.Header.Set("Content-Type", "application/json")
	return r
}

// TestLogoutsShareCalls: what arrives while others are being fenced is fenced
// in one call, and each caller is told what became of its own logout.
func TestLogoutsShareCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, logoutsShareCalls) // a slow machine uses up no patience
}

func logoutsShareCalls(t *testing.T) {
	const callers = 100
	var mu sync.Mutex
	calls, published := 0, map[string]bool{}
	var arriving sync.WaitGroup
	arriving.Add(callers + 1)
	h := handlers.New(handlers.Config{
		FenceTimeout: longEnough,
		Store: storeFunc(func(_ context.Context, fences []store.Fence) ([]store.Fenced, error) {
			mu.Lock()
			calls++
			mu.Unlock()
			arriving.Wait()
			results := make([]store.Fenced, len(fences))
			for i := range results {
				if results[i].Outcome = store.FenceFenced; fences[i].SessionID == store.TokenID("nobody") {
					results[i].Outcome = store.FenceUnknown
				}
			}
			return results, nil
		}),
		Publisher: publisherFunc(func(_ context.Context, requests ...messages.Request) error {
			mu.Lock()
			defer mu.Unlock()
			for _, r := range requests {
				published[r.SessionID] = true
			}
			return nil
		}),
	})
	logout := func(token string, want int) {
		w := httptest.NewRecorder()
		arriving.Done()
		if h.ServeHTTP(w, kratosRequest(token)); w.Code != want {
			t.Errorf("%s: status %d, want %d", token, w.Code, want)
		}
	}
	var waiting sync.WaitGroup
	waiting.Go(func() { logout("nobody", http.StatusForbidden) })
	for i := range callers {
		waiting.Go(func() { logout(fmt.Sprint("tok-", i), http.StatusNoContent) })
	}
	waiting.Wait()
	if calls > callers/2 {
		t.Errorf("the store was called %d times for %d logouts", calls, callers+1)
	}
	if len(published) != callers {
		t.Errorf("%d requests published, want %d", len(published), callers)
	}
}

// TestHangingFenceHoldsUpNobody: who comes behind logouts whose fence hangs is
// answered before they are, and soon.
func TestHangingFenceHoldsUpNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, hangingFenceHoldsUpNobody)
}

func hangingFenceHoldsUpNobody(t *testing.T) {
	hangs, entered := make(chan struct{}), make(chan struct{})
	h := handlers.New(handlers.Config{
		FenceTimeout: longEnough,
		Store: storeFunc(func(_ context.Context, fences []store.Fence) ([]store.Fenced, error) {
			if fences[0].SessionID == store.TokenID("tok-hangs") {
				close(entered)
				<-hangs
			}
			results := make([]store.Fenced, len(fences))
			for i := range results {
				results[i].Outcome = store.FenceUnknown
			}
			return results, nil
		}),
	})
	var first sync.WaitGroup
	first.Go(func() { h.ServeHTTP(httptest.NewRecorder(), logoutRequest("tok-hangs")) })
	<-entered
	begin, w := time.Now(), httptest.NewRecorder()
	h.ServeHTTP(w, logoutRequest("tok-next"))
	if w.Code != http.StatusNoContent {
		t.Errorf("status %d, want 204", w.Code)
	}
	if took := time.Since(begin); took > 5*time.Millisecond {
		t.Errorf("answered after %v", took)
	}
	close(hangs)
	first.Wait()
}

// TestPanicFailsItsGroup: and the next logout is accepted.
func TestPanicFailsItsGroup(t *testing.T) {
	t.Parallel()
	panics := true
	h := handlers.New(handlers.Config{Store: storeFunc(func(_ context.Context, fences []store.Fence) ([]store.Fenced, error) {
		if panics {
			panic("as if a store were broken")
		}
		return []store.Fenced{{Outcome: store.FenceUnknown}}, nil
	})})
	for _, want := range []int{http.StatusServiceUnavailable, http.StatusNoContent} {
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, logoutRequest("tok-alice")); w.Code != want {
			t.Errorf("status %d, want %d", w.Code, want)
		}
		panics = false
	}
}
