package storetest

import (
	"slices"
	"time"

	"github.com/logoutd/logoutd/store"
)

// requestID is that of the logout of a session: the same for each repetition.
func (w *world) requestID(name string, scope store.Scope) string {
	return w.seed + "." + name + "." + string(scope)
}

// fence does one fence.
func (w *world) fence(f store.Fence) store.Fenced {
	w.Helper()
	fenced := one[store.Fenced](w)(w.store.Fence(w.Context(), []store.Fence{f}))
	if fenced.Err != nil {
		w.Fatalf("fence: %v", fenced.Err)
	}
	return fenced
}

// fenceSession fences the named session for a logout of the scope.
func (w *world) fenceSession(name string, scope store.Scope) store.Fenced {
	w.Helper()
	return w.fence(store.Fence{RequestID: w.requestID(name, scope), SessionID: w.id(name)})
}

// revocation is the one that follows the fence of the named session.
func (w *world) revocation(name string, scope store.Scope, f store.Fenced) store.Revocation {
	return store.Revocation{
		RequestID: w.requestID(name, scope), Scope: scope,
		SessionID: f.Session.ID, User: f.Session.User,
		DeviceID: f.Session.DeviceID, AppID: f.Session.AppID,
		AuthenticatedAt: f.Session.AuthenticatedAt, Cutoff: f.Cutoff,
	}
}

// fenceUser fences what an operator names, the user or a device of it, and
// returns the revocation that follows.
func (w *world) fenceUser(name, deviceID string, at time.Time) store.Revocation {
	w.Helper()
	r := store.Revocation{Scope: store.ScopeUser, User: w.user, DeviceID: deviceID}
	if deviceID != "" {
		r.Scope = store.ScopeDevice
	}
	r.RequestID = w.requestID(name, r.Scope)
	f := w.fence(store.Fence{RequestID: r.RequestID, User: w.user, DeviceID: deviceID, At: at})
	if f.Outcome != store.FenceFenced {
		w.Errorf("fence of a user: %s", f.Outcome)
	}
	r.Cutoff = f.Cutoff
	return r
}

func (w *world) revoke(r store.Revocation) store.Revoked {
	w.Helper()
	revoked := one[store.Revoked](w)(w.store.Revoke(w.Context(), []store.Revocation{r}))
	if revoked.Err != nil {
		w.Fatalf("revoke: %v", revoked.Err)
	}
	return revoked
}

func (w *world) finish(r store.Revocation) {
	w.Helper()
	if err := one[error](w)(w.store.Finish(w.Context(), []store.Revocation{r})); err != nil {
		w.Fatalf("finish: %v", err)
	}
}

// complete takes a revocation to its end.
func (w *world) complete(r store.Revocation) told {
	w.Helper()
	t := w.tell(r)
	w.finish(r)
	return t
}

// tell revokes and returns what there is to be told.
func (w *world) tell(r store.Revocation) told {
	w.Helper()
	return w.told(r, w.revoke(r))
}

// logout is a whole logout of the named session.
func (w *world) logout(name string, scope store.Scope) told {
	w.Helper()
	return w.complete(w.revocation(name, scope, w.fenceSession(name, scope)))
}

// endUser ends a user's device, or the user where none is named, and returns
// the cutoff.
func (w *world) endUser(name, deviceID string) time.Time {
	w.Helper()
	r := w.fenceUser(name, deviceID, time.Time{})
	w.complete(r)
	return r.Cutoff
}

// told is a [store.Revoked] in the names of the test.
type told struct {
	Done     bool
	Sessions []string // sorted, after the one presented
	Tokens   int
	Pushes   []string // sorted
}

func (w *world) told(of store.Revocation, r store.Revoked) told {
	w.Helper()
	if r.Sessions != len(r.SessionIDs) {
		w.Errorf("told of %d sessions, listed %d", r.Sessions, len(r.SessionIDs))
	}
	t := told{Done: r.Done, Tokens: r.RefreshTokens}
	for _, id := range r.SessionIDs {
		t.Sessions = append(t.Sessions, w.names[id])
	}
	if of.SessionID == "" {
		slices.Sort(t.Sessions)
	} else if len(t.Sessions) > 0 {
		slices.Sort(t.Sessions[1:])
	}
	for _, p := range r.PushRegistrations {
		t.Pushes = append(t.Pushes, w.names[p.ID])
	}
	slices.Sort(t.Pushes)
	return t
}
