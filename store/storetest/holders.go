package storetest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/logoutd/logoutd/store"
)

var holderTests = []test{
	{"who holds a session, a refresh token or a push registration", holdersOfAnything},
	{"what has ended is not held", holdersOfNothing},
	{"small pages", holdersInSmallPages},
	{"registrations and logouts go on meanwhile", holdersMeanwhile},
	{"a record that cannot be read hides no other", holdersBesideDamage},
	{"a place that is none", holdersOfNoPlace},
	{"users looked up", usersLookedUp},
	{"a user that was fenced holds nothing", usersFenced},
}

// holderPage is about how many records a page of these tests reads: few for
// many users of other tests beside them.
const holderPage = 200

// pages goes through all holders.
func (w *world) pages(limit int, visit func(store.HolderPage)) {
	w.Helper()
	after := ""
	for {
		page, err := w.store.Holders(w.Context(), after, limit)
		if err != nil {
			w.Fatal(err)
		}
		visit(page)
		if after = page.Next; after == "" {
			return
		}
	}
}

// held is what the store finds of the user, in all pages together.
func (w *world) held(limit int, users ...store.User) map[store.User]store.Holder {
	w.Helper()
	all := map[store.User]store.Holder{}
	w.pages(limit, func(page store.HolderPage) {
		for _, h := range page.Holders {
			if slices.Contains(users, h.User) {
				all[h.User] = join(all[h.User], h)
			}
		}
	})
	return all
}

// join adds what came later, and may have come before.
func join(a, b store.Holder) store.Holder {
	if a.Since.IsZero() || b.Since.Before(a.Since) {
		a.Since = b.Since
	}
	for _, s := range b.Sessions {
		if !slices.Contains(a.Sessions, s) {
			a.Sessions = append(a.Sessions, s)
		}
	}
	a.User = b.User
	return a
}

var anyOrder = cmpopts.SortSlices(func(a, b store.Session) bool { return a.ID < b.ID })

// holdsOf are a user with sessions and more, one with a refresh token and one
// with a push registration; what is to be found of them.
func holdsOf(w *world) map[store.User]store.Holder {
	all := w.as(store.User{TenantID: "tenant\xff.{}*\x00", ID: w.seed + "\xfe}:sessions\n"})
	token := w.as(store.User{ID: w.seed + " with a token"})
	push := w.as(store.User{TenantID: "acme", ID: w.seed + " with a push registration"})
	sessions := []store.Session{
		{ID: "s1", User: all.user, DeviceID: "phone", AppID: "mail", AuthenticatedAt: w.ago(10)},
		{ID: "s2", User: all.user, Kind: store.KindBrowser, AuthenticatedAt: w.ago(5)},
	}
	all.login(sessions...)
	all.grant(store.RefreshToken{ID: "t1", SessionID: "s1"}, store.RefreshToken{ID: "t2", AuthenticatedAt: w.ago(20)})
	all.subscribe(store.PushRegistration{ID: "p1", DeviceID: "phone", RegisteredAt: w.ago(7)})
	token.grant(store.RefreshToken{ID: "t3", AuthenticatedAt: w.ago(3)})
	push.subscribe(store.PushRegistration{ID: "p2", DeviceID: "phone", RegisteredAt: w.ago(4)})
	return map[store.User]store.Holder{
		all.user:   {User: all.user, Since: w.ago(20), Sessions: []store.Session{w.session(sessions[0]), w.session(sessions[1])}},
		token.user: {User: token.user, Since: w.ago(3)},
		push.user:  {User: push.user, Since: w.ago(4)},
	}
}

func usersOf(held map[store.User]store.Holder) []store.User {
	var users []store.User
	for u := range held {
		users = append(users, u)
	}
	return users
}

func holdersOfAnything(w *world) {
	want := holdsOf(w)
	w.equal("held", w.held(holderPage, usersOf(want)...), want, anyOrder)
	page, err := w.store.Holders(w.Context(), "", 1)
	if err != nil || page.At.Before(w.start) || page.At.After(w.in(time.Second)) {
		w.Errorf("a page of %s, after %s: %v", page.At, w.start, err)
	}
}

func holdersInSmallPages(w *world) {
	want := holdsOf(w)
	var many []store.Session
	for i := range 400 {
		many = append(many, store.Session{ID: fmt.Sprint("many", i), AuthenticatedAt: w.ago(10)})
	}
	w.login(many...)
	got := w.held(90, append(usersOf(want), w.user)...)
	w.equal("sessions of a user of several pages", len(got[w.user].Sessions), len(many))
	delete(got, w.user)
	w.equal("held", got, want, anyOrder)
}

func holdersOfNothing(w *world) {
	expiry := w.in(brief)
	w.login(store.Session{ID: "expiring", AuthenticatedAt: w.ago(10), ExpiresAt: expiry})
	w.login(store.Session{ID: "fenced", AuthenticatedAt: w.ago(10)}, store.Session{ID: "revoked", AuthenticatedAt: w.ago(10)})
	w.grant(store.RefreshToken{ID: "t", SessionID: "fenced"})
	w.fenceSession("fenced", store.ScopeSession)
	w.logout("revoked", store.ScopeSession)
	w.login(store.Session{ID: "phone", DeviceID: "phone", AuthenticatedAt: w.ago(10)})
	w.fenceUser("operator", "phone", time.Time{})
	other := w.as(store.User{TenantID: "acme", ID: "other " + w.seed})
	other.login(store.Session{ID: "other", AuthenticatedAt: w.ago(10)})
	other.fenceUser("operator", "", time.Time{})
	w.awaitExpiry("expiring", expiry)
	w.equal("held", w.held(holderPage, w.user, other.user), map[store.User]store.Holder{})
	states := must[store.UserState](w)(w.store.Users(w.Context(), []store.User{w.user}))
	w.equal("looked up", states[0].Holder, store.Holder{User: w.user})
}

// holdersMeanwhile logs many in and out while pages are read. Who is there all
// the time must be found, with all its sessions.
func holdersMeanwhile(w *world) {
	stay := map[store.User]store.Holder{}
	for i := range 30 {
		u := w.as(store.User{TenantID: "acme", ID: fmt.Sprint("stays ", i, w.seed)})
		session := store.Session{ID: fmt.Sprint("stays", i), User: u.user, AuthenticatedAt: w.ago(10)}
		u.login(session)
		stay[u.user] = store.Holder{User: u.user, Since: w.ago(10), Sessions: []store.Session{w.session(session)}}
	}
	goes, comes := newWorld(w.T, w.backend, w.store), newWorld(w.T, w.backend, w.store)
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { comeAndGo(goes, stop) })
	running.Go(func() { comeAndGo(comes, stop) })
	got := w.held(90, usersOf(stay)...)
	close(stop)
	running.Wait()
	w.equal("held", got, stay, anyOrder)
}

// comeAndGo registers sessions of ever new users, and logs every other one out.
func comeAndGo(w *world, stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		u := store.User{TenantID: "acme", ID: fmt.Sprint("comes ", i, w.seed)}
		id := store.TokenID(u.ID)
		_, err := w.store.PutSessions(w.Context(), []store.Session{{ID: id, User: u, AuthenticatedAt: w.ago(1), ExpiresAt: w.start.Add(lifetime)}})
		if err == nil && i%2 == 0 {
			_, err = w.store.Fence(w.Context(), []store.Fence{{RequestID: u.ID, SessionID: id}})
		}
		if err != nil {
			w.Errorf("meanwhile: %v", err)
			return
		}
	}
}

func holdersBesideDamage(w *world) {
	if w.backend.Damage == nil {
		w.Skip("the backend cannot damage a record")
	}
	w.login(
		store.Session{ID: "a", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "broken", AuthenticatedAt: w.ago(10)},
		store.Session{ID: "b", AuthenticatedAt: w.ago(10)},
	)
	w.backend.Damage(w.T, w.store, w.id("broken"))
	var names []string
	for _, s := range w.held(holderPage, w.user)[w.user].Sessions {
		names = append(names, w.names[s.ID])
	}
	slices.Sort(names)
	w.equal("held", names, []string{"a", "b"})
}

func holdersOfNoPlace(w *world) {
	for _, after := range []string{"x", "{}", "credentials.x", `{"shape":"x","open":[{"key":"other"}]}`} {
		if _, err := w.store.Holders(w.Context(), after, 10); err == nil || errors.Is(err, store.ErrUnavailable) {
			w.Errorf("the place %q: %v", after, err)
		}
	}
}

func usersLookedUp(w *world) {
	want := holdsOf(w)
	users := append(usersOf(want), w.user)
	slices.SortFunc(users, func(a, b store.User) int { return cmp.Compare(a.ID, b.ID) })
	for i, got := range must[store.UserState](w)(w.store.Users(w.Context(), append(users, users[0]))) {
		u := users[i%len(users)]
		holder := want[u]
		holder.User = u
		w.equal("holder", got.Holder, holder, anyOrder)
		if got.Err != nil || got.Partial || !got.Cutoff.IsZero() || got.At.Before(w.start) {
			w.Errorf("looked up %+v", got)
		}
	}
}

func usersFenced(w *world) {
	household(w, w.ago(10))
	r := w.fenceUser("operator", "", w.ago(5))
	state := func() store.UserState {
		return one[store.UserState](w)(w.store.Users(w.Context(), []store.User{w.user}))
	}
	w.equal("cutoff", state().Cutoff, w.ago(5))
	w.equal("sessions of a user that was fenced", len(state().Sessions), 0)
	w.complete(r)
	w.equal("holder", state().Holder, store.Holder{User: w.user})
	w.login(store.Session{ID: "newer", AuthenticatedAt: w.ago(1)})
	w.equal("since", state().Since, w.ago(1))
	w.equal("cutoff", state().Cutoff, w.ago(5))
}
