package replay_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/replay"
	"github.com/logoutd/logoutd/store"
)

// failUnreadable puts something on the stream that is no dead letter.
func (w *world) failUnreadable() {
	w.Helper()
	if _, err := w.broker.JS.Publish(w.Context(), "logout.failed.http.what", []byte("{}")); err != nil {
		w.Fatal(err)
	}
}

func (w *world) login(n int, at time.Time) {
	w.Helper()
	s := store.Session{
		ID: session(n), User: userOf(n), DeviceID: "phone", AppID: "app", AuthenticatedAt: at, ExpiresAt: time.Now().Add(time.Hour),
	}
	results, err := w.store.PutSessions(w.Context(), []store.Session{s})
	if err != nil || results[0].Err != nil {
		w.Fatalf("registering session: %v %v", results, err)
	}
}

func (w *world) register(n int, at time.Time) {
	w.Helper()
	results, err := w.store.PutPushRegistrations(w.Context(), []store.PushRegistration{registration(n, at)})
	if err != nil || results[0].Err != nil {
		w.Fatalf("registering: %v %v", results, err)
	}
}

// fence marks a user's session by a request.
func (w *world) fence(n int, requestID string) {
	w.Helper()
	results, err := w.store.Fence(w.Context(), []store.Fence{{RequestID: requestID, SessionID: session(n)}})
	if err != nil || results[0].Err != nil {
		w.Fatalf("fencing: %v %v", results, err)
	}
}

// revoke does the store's part of a logout of a user.
func (w *world) revoke(n int, requestID string, cutoff time.Time) {
	w.Helper()
	r := store.Revocation{RequestID: requestID, Scope: store.ScopeUser, User: userOf(n), Cutoff: cutoff}
	if requestID == requestLetter(n).ID {
		r.SessionID, r.AuthenticatedAt = session(n), hourAgo.Add(-time.Hour)
	}
	if results, err := w.store.Revoke(w.Context(), []store.Revocation{r}); err != nil || results[0].Err != nil {
		w.Fatalf("revoking: %v %v", results, err)
	}
	if results, err := w.store.Finish(w.Context(), []store.Revocation{r}); err != nil || results[0] != nil {
		w.Fatalf("finishing: %v %v", results, err)
	}
}

// other is a logout request of another session of the user.
func other(n int) string { return fmt.Sprintf("other-%d", n) }

// eligibility is why a letter is not eligible; empty: it is.
type eligibility struct {
	letter  func(n int) messages.DeadLetter
	prepare func(n int)
	want    string
}

func (w *world) decides(cases map[string]eligibility) {
	n := 0
	for name, c := range cases {
		n++
		letter := c.letter(n)
		c.prepare(n)
		w.fail(letter)
		plan := w.plan(replay.KindReplay, replay.Query{IDs: []string{letter.ID}}, false)
		want, eligible := map[string]int(nil), 1
		if c.want != "" {
			want, eligible = map[string]int{c.want: 1}, 0
		}
		if diff := cmp.Diff(want, plan.Ineligible, cmpopts.EquateEmpty()); diff != "" || plan.Eligible != eligible {
			w.Errorf("%s: %d eligible, otherwise (-want +got):\n%s", name, plan.Eligible, diff)
		}
	}
}

func TestEligiblePush(t *testing.T) {
	t.Parallel()
	w := start(t)
	before, now := hourAgo.Add(-time.Hour), time.Now()
	w.decides(map[string]eligibility{
		"push, registration gone":        {pushLetter, func(int) {}, ""},
		"push, registration still there": {pushLetter, func(n int) { w.register(n, before) }, ""},
		"push, registered anew":          {pushLetter, func(n int) { w.register(n, now) }, "obsolete"},
		"push, another registered anew":  {pushLetter, func(n int) { w.register(n+1000, now) }, ""},
		"push, registered just after":    {pushLetter, func(n int) { w.register(n, hourAgo.Add(time.Millisecond)) }, "obsolete"},
		"push, registered by the cutoff": {pushLetter, func(n int) { w.register(n, hourAgo) }, ""},
		"push, front's clock was ahead":  {requestedAt(pushLetter, time.Hour), func(n int) { w.register(n, hourAgo.Add(time.Minute)) }, "obsolete"},
		"push, front's clock was behind": {requestedAt(pushLetter, -time.Hour), func(n int) { w.register(n, hourAgo.Add(-30*time.Minute)) }, ""},
	})
}

func TestEligibleRequest(t *testing.T) {
	t.Parallel()
	w := start(t)
	before, now := hourAgo.Add(-time.Hour), time.Now()
	w.decides(map[string]eligibility{
		"request, session live": {requestLetter, func(n int) { w.login(n, before) }, ""},
		"request, session fenced by it": {requestLetter, func(n int) {
			w.login(n, before)
			w.fence(n, requestLetter(n).ID)
		}, ""},
		"request, fenced by it and covered by another": {requestLetter, func(n int) {
			w.login(n, before)
			w.fence(n, requestLetter(n).ID)
			w.revoke(n, other(n), now)
		}, ""},
		"request, finished": {requestLetter, func(n int) {
			w.login(n, before)
			w.revoke(n, requestLetter(n).ID, hourAgo)
		}, "done"},
		"request, everything covered by another": {requestLetter, func(n int) {
			w.login(n, before)
			w.revoke(n, other(n), now)
		}, "obsolete"},
		"request, covered by an earlier one only": {requestLetter, func(n int) {
			w.login(n, before)
			w.revoke(n, other(n), hourAgo)
		}, ""},
		"request, session ended, registration left": {requestLetter, func(n int) {
			w.login(n, before)
			w.fence(n, other(n))
			w.register(n, before)
		}, ""},
		"request, nothing known of it any more":               {requestLetter, func(int) {}, "obsolete"},
		"request, session unknown, user holds a registration": {requestLetter, func(n int) { w.register(n, before) }, ""},
		"request, session unknown, user came back later":      {requestLetter, func(n int) { w.register(n, now) }, "obsolete"},
		"request, front's clock was behind, registration left": {requestedAt(requestLetter, -time.Hour), func(n int) {
			w.register(n, hourAgo.Add(-30*time.Minute))
		}, ""},
		"request, front's clock was ahead, covered by another": {requestedAt(requestLetter, 2*time.Hour), func(n int) {
			w.login(n, before)
			w.revoke(n, other(n), now)
		}, "obsolete"},
		"request, cutoff not known": {unbounded, func(n int) {
			w.login(n, before)
			w.revoke(n, other(n), now)
		}, ""},
		"request of nobody": {nobody, func(int) {}, ""},
		"operator's request for a user who holds nothing": {ofOperator, func(int) {}, ""},
	})
}

// nobody is the letter of a logout with a session that is kept elsewhere.
func nobody(n int) messages.DeadLetter {
	l := requestLetter(n)
	l.Request.UserID, l.Request.TenantID, l.Request.Scope = "", "", "session"
	return l
}

// unbounded is the letter of a logout whose fence was skipped, and failed
// again when it was given up.
func unbounded(n int) messages.DeadLetter {
	l := requestLetter(n)
	l.Request.Fenced, l.Request.Cutoff = false, events.Time{}
	return l
}

// requestedAt returns letters of a front end whose clock was off by so much.
func requestedAt(letter func(n int) messages.DeadLetter, off time.Duration) func(n int) messages.DeadLetter {
	return func(n int) messages.DeadLetter {
		l := letter(n)
		l.Request.RequestedAt = events.At(hourAgo.Add(off))
		if l.Delivery != nil {
			l.Delivery.Request.RequestedAt = l.Request.RequestedAt
		}
		return l
	}
}

// ofOperator is the letter of a logout that names a user.
func ofOperator(n int) messages.DeadLetter {
	l := requestLetter(n)
	l.Request.SessionID = ""
	return l
}

func TestReplayedTooOften(t *testing.T) {
	t.Parallel()
	w := start(t)
	for replays := range 8 {
		l := pushLetter(replays)
		l.Replays = replays
		w.fail(l)
	}
	w.failUnreadable()
	for force, want := range map[bool]map[string]int{
		false: {"over_replay_limit": 3, "unreadable": 1},
		true:  {"unreadable": 1},
	} {
		plan := w.plan(replay.KindReplay, replay.Query{Filter: &deadletters.Filter{}}, force)
		if diff := cmp.Diff(want, plan.Ineligible); diff != "" || plan.Force != force {
			t.Errorf("force %t (-want +got):\n%s", force, diff)
		}
		if plan.Eligible != 9-want["over_replay_limit"]-want["unreadable"] {
			t.Errorf("force %t: %d eligible", force, plan.Eligible)
		}
	}
}

// TestDryRunAsksInBatches: verdicts belong to their letters, also beyond a
// batch.
func TestDryRunAsksInBatches(t *testing.T) {
	t.Parallel()
	w := start(t)
	const all = 250
	for n := range all {
		if n%3 == 0 {
			w.register(n, time.Now())
		}
		w.fail(pushLetter(n))
	}
	plan := w.plan(replay.KindReplay, replay.Query{Filter: &deadletters.Filter{}}, false)
	if plan.Eligible != 166 || plan.Ineligible["obsolete"] != 84 {
		t.Errorf("%d eligible, %v", plan.Eligible, plan.Ineligible)
	}
	w.run(w.jobs.Run)
	handedOver := func(job jobs.Job) bool { return job.Position == job.Total }
	if job := w.until(w.start(plan).ID, handedOver); job.Counts["replayed"] != 166 {
		t.Errorf("job %+v", job)
	}
	for _, msg := range w.broker.Messages(messages.StreamFailed) {
		n := 0
		for ; n < all && msg.Subject != "logout.failed.http."+pushLetter(n).ID; n++ {
		}
		if n%3 != 0 {
			t.Errorf("letter %d was left", n)
		}
	}
}
