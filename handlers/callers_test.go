package handlers_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// TestCallersAreCounted: those who wait for a fence like those who wait for the
// broker, and no longer when they are answered.
func TestCallersAreCounted(t *testing.T) {
	t.Parallel()
	var callers handlers.Callers
	tells := func(where string, waiting int) {
		t.Helper()
		if n := callers.Waiting(); n != waiting {
			t.Errorf("%s: %d wait, want %d", where, n, waiting)
		}
	}
	h := handlers.New(handlers.Config{
		FenceTimeout: longEnough, Callers: &callers,
		Store: storeFunc(func(_ context.Context, fences []store.Fence) ([]store.Fenced, error) {
			if fences[0].SessionID == store.TokenID("nobody") {
				return []store.Fenced{{Outcome: store.FenceUnknown}}, nil
			}
			tells("in the store", 1)
			return []store.Fenced{{Outcome: store.FenceFenced}}, nil
		}),
		Publisher: publisherFunc(func(context.Context, ...messages.Request) error {
			tells("at the broker", 1)
			return nil
		}),
	})
	tells("before", 0)
	h.ServeHTTP(httptest.NewRecorder(), kratosRequest("nobody"))
	tells("after one that was not accepted", 0)
	h.ServeHTTP(httptest.NewRecorder(), kratosRequest("tok-alice"))
	tells("after one that was", 0)
	h.ServeHTTP(httptest.NewRecorder(), kratosRequest(""))
	tells("after one that presents nothing", 0)
}
