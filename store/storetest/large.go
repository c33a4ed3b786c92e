package storetest

import (
	"fmt"
	"testing"

	"github.com/logoutd/logoutd/store"
)

// A user with very many sessions is handled in chunks.
const (
	largeSessions = 20_000
	largeTokens   = 1_200
	largePushes   = 1_100
	largeBatch    = 1_000
)

func large(t *testing.T, b Backend) {
	t.Parallel()
	w := newWorld(t, b, b.Open(t, Options{}))
	registerLarge(w)
	w.login(
		store.Session{ID: "presented", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "newer", AuthenticatedAt: w.ago(1)},
	)
	wantLargeHeld(w)
	f := w.fence(store.Fence{RequestID: w.requestID("presented", store.ScopeUser), SessionID: w.id("presented"), At: w.ago(5)})
	r := w.revocation("presented", store.ScopeUser, f)
	for range 2 {
		wantLarge(w, w.revoke(r))
	}
	w.finish(r)
	w.equal("again", w.revoke(r), store.Revoked{Done: true})
	r.RequestID += " again"
	w.equal("left to revoke", w.complete(r), told{Sessions: []string{"presented"}})
	w.wantLive("newer")
}

func wantLarge(w *world, got store.Revoked) {
	w.Helper()
	w.equal("sessions", got.Sessions, largeSessions+1)
	w.equal("listed", len(got.SessionIDs), store.MaxSessionIDs)
	w.equal("listed first", got.SessionIDs[0], w.id("presented"))
	w.equal("refresh tokens", got.RefreshTokens, largeTokens)
	w.equal("push registrations", len(got.PushRegistrations), largePushes)
	distinct := map[string]bool{}
	for _, id := range got.SessionIDs {
		distinct[id] = true
	}
	for _, p := range got.PushRegistrations {
		distinct[p.ID] = true
	}
	w.equal("distinct", len(distinct), store.MaxSessionIDs+largePushes)
}

// wantLargeHeld expects that the user comes in pages that are not its size.
func wantLargeHeld(w *world) {
	w.Helper()
	const limit = 500
	sessions := map[string]bool{}
	w.pages(limit, func(page store.HolderPage) {
		n := 0
		for _, h := range page.Holders {
			n += len(h.Sessions)
			for _, s := range h.Sessions {
				if h.User == w.user {
					sessions[s.ID] = true
				}
			}
		}
		if n > 2*limit {
			w.Errorf("%d sessions on a page of about %d", n, limit)
		}
	})
	w.equal("sessions held", len(sessions), largeSessions+2)
	w.equal("partial", one[store.UserState](w)(w.store.Users(w.Context(), []store.User{w.user})).Partial, true)
}

func registerLarge(w *world) {
	inBatches(largeSessions, func(from, to int) {
		var batch []store.Session
		for i := from; i < to; i++ {
			batch = append(batch, w.session(store.Session{ID: fmt.Sprint("s", i), DeviceID: fmt.Sprint("d", i%500), AuthenticatedAt: w.ago(10)}))
		}
		w.sessions = append(w.sessions, batch[0].ID) // a sample, to look at later
		w.allAccepted(must[store.PutResult](w)(w.store.PutSessions(w.Context(), batch)))
	})
	inBatches(largeTokens, func(from, to int) {
		var batch []store.RefreshToken
		for i := from; i < to; i++ {
			batch = append(batch, w.token(store.RefreshToken{ID: fmt.Sprint("t", i), SessionID: fmt.Sprint("s", i)}))
		}
		w.tokens = append(w.tokens, batch[0].ID)
		w.allAccepted(must[store.PutResult](w)(w.store.PutRefreshTokens(w.Context(), batch)))
	})
	inBatches(largePushes, func(from, to int) {
		var batch []store.PushRegistration
		for i := from; i < to; i++ {
			batch = append(batch, w.push(store.PushRegistration{ID: fmt.Sprint("p", i), DeviceID: fmt.Sprint("d", i), RegisteredAt: w.ago(10)}))
		}
		w.pushes = append(w.pushes, batch...)
		w.allAccepted(must[store.PutResult](w)(w.store.PutPushRegistrations(w.Context(), batch)))
	})
}

func inBatches(n int, do func(from, to int)) {
	for from := 0; from < n; from += largeBatch {
		do(from, min(from+largeBatch, n))
	}
}
