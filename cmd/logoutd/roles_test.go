package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/logoutd/logoutd/events"
)

// TestLogoutWithoutWorker is a logout while no worker runs, and what a worker
// makes of it that starts later: with front and worker as processes that share
// a NATS and a Redis.
func TestLogoutWithoutWorker(t *testing.T) {
	t.Parallel()
	shared := newBackends(t)
	front := shared.setup(t, "front,admin", "").start(t)
	before := events.At(time.Now())
	for _, d := range dialectCalls {
		logOutWithoutWorker(t, front, d)
	}
	old, other, fresh := newLogin("sap_v2", "sap_v2-old"), newLogin("sap_v2", "sap_v2-other"), newLogin("sap_v2", "sap_v2-new")
	front.mustRegister(fresh)
	repeat(front, old)
	expectAlive(t, front, fresh, "before a worker starts")

	worker := shared.setup(t, "worker", "").start(t)
	worker.awaitIdle(len(dialectCalls))
	for _, d := range dialectCalls {
		if !front.dead(newLogin(d.name, d.name+"-old")) {
			t.Errorf("%s: session or refresh token is active after a worker ran", d.name)
		}
	}
	if !front.dead(other) {
		t.Error("the user's other session or its refresh token is active after a worker ran")
	}
	repeat(front, old)
	worker.awaitIdle(len(dialectCalls))
	expectAlive(t, front, fresh, "after the old client's logouts")
	expectAlive(t, front, newLogin("kratos", "kratos-other"), "after the logout of another session")
	expectLateRefused(t, front, before)
}

// logOutWithoutWorker logs one of two sessions out, which is dead at once.
func logOutWithoutWorker(t *testing.T, front *instance, d dialectCall) {
	t.Helper()
	old, other := newLogin(d.name, d.name+"-old"), newLogin(d.name, d.name+"-other")
	front.mustRegister(old, other)
	front.mustLogOut(d.name, old.session)
	if front.active(old.session) && front.metric("logoutd_fence_total", `outcome="skipped"`) == 0 {
		t.Errorf("%s: the session is active after its answer", d.name)
	}
	if !front.active(other.session) {
		t.Errorf("%s: another session is dead, but nobody is there to revoke it", d.name)
	}
}

// repeat is an old client that logs out its user again and again.
func repeat(front *instance, old login) {
	front.t.Helper()
	for range 20 {
		front.mustLogOut("sap_v2", old.session)
	}
}

func expectAlive(t *testing.T, front *instance, l login, when string) {
	t.Helper()
	if !front.active(l.session) || !front.active(l.refresh) {
		t.Errorf("%s: session or refresh token of %s is dead", when, l.device)
	}
}

// expectLateRefused registers what was authenticated before the user's logout.
func expectLateRefused(t *testing.T, front *instance, before events.Time) {
	t.Helper()
	late := newLogin("sap_v2", "late")
	for what, f := range map[string]fields{
		"sessions":           late.sessionFields().with(fields{"authenticated_at": before}),
		"push-registrations": late.pushFields().with(fields{"registered_at": before}),
		"refresh-tokens": {
			"refresh_token": late.refresh, "user_id": late.user, "expires_at": later, "authenticated_at": before,
		},
	} {
		a := front.put(what, f)
		cutoff, err := time.Parse(time.RFC3339, a.field("cutoff"))
		if a.status != http.StatusConflict || err != nil || cutoff.Before(before.Time) || cutoff.After(time.Now()) {
			t.Errorf("%s: answers %d %s, want 409 with the cutoff", what, a.status, a.body)
		}
	}
	bound := newLogin("kratos", "kratos-old")
	if a := front.put("refresh-tokens", bound.refreshFields().with(fields{"refresh_token": "raw-new"})); a.status != http.StatusConflict || a.field("cutoff") == "" {
		t.Errorf("a refresh token bound to a dead session: %d %s, want 409 with the cutoff", a.status, a.body)
	}
}

// awaitIdle waits until the workers have done at least some requests, and
// nothing waits for them.
func (i *instance) awaitIdle(requests int) {
	i.t.Helper()
	eventually(i.t, "workers idle", func() bool {
		metrics := get(i.admin+"/metrics", "").body
		return metricIn(metrics, "logoutd_revocations_total") >= float64(requests) &&
			metricIn(metrics, "logoutd_backlog_messages") == 0
	})
}
