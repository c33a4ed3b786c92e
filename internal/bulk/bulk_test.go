package bulk_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/bulk"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

var (
	alice = store.User{TenantID: "acme", ID: "alice"}
	bob   = store.User{TenantID: "acme", ID: "bob"}
	carol = store.User{TenantID: "other", ID: "carol"}
)

// town has users of two tenants with sessions of two apps.
func town(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.login(alice, "alice mail", "mail", 30)
	w.login(alice, "alice chat", "chat", 20)
	w.login(bob, "bob mail", "mail", 5)
	w.login(carol, "carol mail", "mail", 30)
	w.login(carol, "carol chat", "chat", 5)
	return w
}

func (w *world) wantLive(names ...string) {
	w.Helper()
	w.equal("live", w.live("alice mail", "alice chat", "bob mail", "carol mail", "carol chat"), names)
}

func TestPlansSayWhoIsConcerned(t *testing.T) {
	t.Parallel()
	w := town(t)
	for name, c := range map[string]struct {
		query    bulk.Query
		eligible int
		left     map[string]int
	}{
		"tenant":             {bulk.Query{TenantID: "acme"}, 2, map[string]int{}},
		"tenant before":      {bulk.Query{TenantID: "acme", AuthenticatedBefore: w.ago(10)}, 1, map[string]int{"nothing_live": 1}},
		"unknown tenant":     {bulk.Query{TenantID: "nobody"}, 0, map[string]int{}},
		"app":                {bulk.Query{AppID: "mail"}, 3, map[string]int{}},
		"app before":         {bulk.Query{AppID: "mail", AuthenticatedBefore: w.ago(10)}, 2, map[string]int{"later": 1}},
		"everybody before":   {bulk.Query{AuthenticatedBefore: w.ago(10)}, 2, map[string]int{"nothing_live": 1}},
		"everybody":          {bulk.Query{AuthenticatedBefore: w.start.Add(time.Hour)}, 3, map[string]int{}},
		"users":              {bulk.Query{Users: []store.User{alice, carol, alice, {ID: "mallory"}}}, 2, map[string]int{"unknown": 1}},
		"users before":       {bulk.Query{Users: []store.User{alice, bob}, AuthenticatedBefore: w.ago(10)}, 1, map[string]int{"nothing_live": 1}},
		"a tenant apart":     {bulk.Query{Users: []store.User{{ID: "alice"}}}, 0, map[string]int{"unknown": 1}},
		"everybody long ago": {bulk.Query{AuthenticatedBefore: w.ago(60)}, 0, map[string]int{"nothing_live": 3}},
	} {
		plan := w.plan(c.query)
		if plan.Eligible != c.eligible || plan.Kind != bulk.Kind || plan.By != "ops" {
			t.Errorf("%s: plan %+v, want %d eligible", name, plan, c.eligible)
		}
		w.equal(name, plan.Ineligible, c.left)
	}
	w.wantLive("alice mail", "alice chat", "bob mail", "carol mail", "carol chat")
	w.equal("requests made by dry runs", len(w.requests()), 0)
}

func TestQueriesRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, q := range []bulk.Query{
		{}, {AppID: "a", TenantID: "t"}, {TenantID: "t", Users: []store.User{alice}}, {AppID: "a", Users: []store.User{alice}},
	} {
		if _, err := w.bulk.Plan(t.Context(), "ops", q); !errors.Is(err, bulk.ErrQuery) {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// What the dry run found is revoked up to its cutoff, through the pipeline:
// dead at once, and told to subscribers.
func TestRevokeTenant(t *testing.T) {
	t.Parallel()
	w := town(t)
	w.run(w.jobs.Run)
	plan := w.plan(bulk.Query{TenantID: "acme", AuthenticatedBefore: w.ago(10)})
	job := w.job(w.begin(plan).ID, "waiting", func(job jobs.Job) bool { return job.Counts[jobs.CountPending] > 0 })
	w.equal("state", job.State, jobs.Running) // it is requested, and not done
	w.equal("counts", job.Counts, map[string]int{"requested": 1, "pending": 1})
	w.wantLive("bob mail", "carol mail", "carol chat")

	w.runRevoker()
	job = w.finish(job.ID)
	w.equal("state", job.State, jobs.Done)
	w.equal("counts", job.Counts, map[string]int{"requested": 1, "delivered": 1})
	w.until("the event is published", func() bool { return len(w.revoked()) == 1 })
	for id, e := range w.revoked() {
		if e.RequestID != id || e.Scope != "user" || e.UserID != "alice" || e.TenantID != "acme" || e.Dialect != "admin" ||
			e.Initiator != messages.InitiatorAdmin || e.Reason != "leaked keys" ||
			!e.RevokedBefore.Equal(w.ago(10)) || len(e.SessionIDs) != 2 {
			t.Errorf("event %+v", e)
		}
	}
	w.equal("left to revoke", w.plan(bulk.Query{TenantID: "acme", AuthenticatedBefore: w.ago(10)}).Eligible, 0)
}

func TestRevokeApp(t *testing.T) {
	t.Parallel()
	w := town(t)
	w.run(w.jobs.Run)
	w.runRevoker()
	job := w.begin(w.plan(bulk.Query{AppID: "mail"}))
	w.until("the events are published", func() bool { return len(w.revoked()) == 3 })
	w.equal("counts", w.finish(job.ID).Counts, map[string]int{"requested": 3, "delivered": 3})
	w.wantLive("alice chat", "carol chat")
	for _, e := range w.revoked() {
		if e.Scope != "session" || e.UserID == "" || e.AppID != "mail" || len(e.SessionIDs) != 1 {
			t.Errorf("event %+v", e)
		}
	}
}

// Who logs in after the dry run stays logged in.
func TestLoginAfterTheDryRunStays(t *testing.T) {
	t.Parallel()
	w := town(t)
	plan := w.plan(bulk.Query{TenantID: "acme"})
	results, err := w.store.PutSessions(t.Context(), []store.Session{
		{ID: store.TokenID("newer"), User: alice, ExpiresAt: w.start.Add(time.Hour)},
	})
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results)
	}
	w.run(w.jobs.Run)
	w.handedOver(w.begin(plan).ID)
	w.equal("live", w.live("alice mail", "alice chat", "newer", "bob mail"), []string{"newer"})
}

// A batch that is done again makes the same requests, and another job others.
func TestAgainIsTheSameRequest(t *testing.T) {
	t.Parallel()
	w := town(t)
	plan := w.plan(bulk.Query{AppID: "chat"})
	items := []jobs.Item{
		jobs.Item(fmt.Sprintf(`{"session_id":%q}`, store.TokenID("alice chat"))),
		jobs.Item(`{"tenant_id":"acme","user_id":"bob"}`),
		jobs.Item(fmt.Sprintf(`{"session_id":%q}`, store.TokenID("nobody"))),
	}
	work := w.bulk.Works()[bulk.Kind]
	for range 2 {
		counts, err := work.Do(t.Context(), jobs.Job{ID: "job", Query: plan.Query, Reason: "r"}, items)
		if err != nil {
			t.Fatal(err)
		}
		w.equal("counts", counts, map[string]int{"requested": 2, "gone": 1})
	}
	if _, err := work.Do(t.Context(), jobs.Job{ID: "other", Query: plan.Query, Reason: "r"}, items[:1]); err != nil {
		t.Fatal(err)
	}
	byID := map[string][]messages.Request{}
	for _, r := range w.requests() {
		r.RequestedAt = events.Time{}
		byID[r.ID] = append(byID[r.ID], r)
	}
	w.equal("requests", len(byID), 3)
	for id, same := range byID {
		if len(same) == 2 {
			w.equal("request "+id+" made again", same[1], same[0])
		}
	}
}

// A store that is down holds the job up; nothing is counted, nothing is lost.
func TestStoreDownAndBack(t *testing.T) {
	t.Parallel()
	w := town(t)
	plan := w.plan(bulk.Query{AppID: "mail"})
	w.store.setDown(true)
	work := w.bulk.Works()[bulk.Kind]
	item := jobs.Item(`{"tenant_id":"acme","user_id":"bob"}`)
	if _, err := work.Do(t.Context(), jobs.Job{ID: "j", Query: plan.Query}, []jobs.Item{item}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("with the store down: %v", err)
	}
	w.equal("requests", len(w.requests()), 0)
	w.run(w.jobs.Run)
	job := w.begin(plan)
	w.until("the job is held up", func() bool {
		held, err := w.jobs.Get(t.Context(), job.ID)
		return err == nil && held.Error != ""
	})
	w.store.setDown(false)
	w.equal("counts", w.handedOver(job.ID), map[string]int{"requested": 3})
	w.wantLive("alice chat", "carol chat")
}

// A user with very many sessions is one item, and each of their sessions of an
// app is one.
func TestManySessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const many = 2500
	batch := make([]store.Session, many)
	for i := range batch {
		batch[i] = store.Session{
			ID: store.TokenID(fmt.Sprint(i)), User: alice, AppID: "mail",
			AuthenticatedAt: w.ago(1 + i%60), ExpiresAt: w.start.Add(time.Hour),
		}
	}
	if _, err := w.store.PutSessions(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	w.equal("by tenant", w.plan(bulk.Query{TenantID: "acme"}).Eligible, 1)
	w.equal("by time", w.plan(bulk.Query{AuthenticatedBefore: w.ago(60)}).Eligible, 1)
	w.equal("by user", w.plan(bulk.Query{Users: []store.User{alice}, AuthenticatedBefore: w.ago(60)}).Eligible, 1)
	byApp := w.plan(bulk.Query{AppID: "mail"})
	w.equal("by app", byApp.Eligible, many)
	w.run(w.jobs.Run)
	w.equal("counts", w.handedOver(w.begin(byApp).ID), map[string]int{"requested": many})
	w.equal("left", w.plan(bulk.Query{AppID: "mail"}).Eligible, 0)
}

// Ids that JSON cannot carry are left out rather than taken for another's.
func TestIDsThatAreNotText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login(store.User{TenantID: "acme", ID: "bytes\xff"}, "bytes", "mail", 5)
	w.login(store.User{TenantID: "acme", ID: "bytes\ufffd"}, "text", "mail", 5)
	plan := w.plan(bulk.Query{TenantID: "acme"})
	w.equal("eligible", plan.Eligible, 1)
	w.equal("left out", plan.Ineligible, map[string]int{"not_text": 1})
	w.run(w.jobs.Run)
	w.handedOver(w.begin(plan).ID)
	w.equal("live", w.live("bytes", "text"), []string{"bytes"})
	w.runRevoker()
	w.finish(w.begin(w.plan(bulk.Query{AppID: "mail"})).ID) // by session it can be named
	w.equal("live", w.live("bytes", "text"), []string{})
}

// The query is kept with the plan, to be shown: who was named is only counted.
func TestQueryIsKept(t *testing.T) {
	t.Parallel()
	w := town(t)
	plan := w.plan(bulk.Query{Users: []store.User{alice, bob}, AuthenticatedBefore: w.ago(10)})
	var kept map[string]any
	if err := json.Unmarshal(plan.Query, &kept); err != nil {
		t.Fatal(err)
	}
	at := events.At(w.ago(10)).String()
	w.equal("query", kept, map[string]any{"users": 2.0, "authenticated_before": at, "cutoff": at})
}
