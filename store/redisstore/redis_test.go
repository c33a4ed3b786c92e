package redisstore_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// A server that has lost the scripts gets them again, in the middle of
// batches too.
func TestScriptsAreLoadedAgain(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	raw := server.Client()
	s := open(t, server.URL(), redisstore.Config{})
	flush := func() {
		if err := raw.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
	login(t, s, alice, ids(5)...)
	flush()
	fenced, err := s.Fence(t.Context(), fences(ids(5)...))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fenced {
		if f.Outcome != store.FenceFenced || f.Err != nil {
			t.Errorf("got %+v, want it fenced", f)
		}
	}
	flush()
	if n := active(t, s, ids(5)...); n != 0 {
		t.Errorf("%d sessions survived their fence", n)
	}
}

// A key of one user that is not what it should be fails that user's items
// and no others.
func TestDamagedUserFailsAlone(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := open(t, server.URL(), redisstore.Config{})
	bob := store.User{ID: "bob"}
	if err := server.Client().Set(t.Context(), redisstore.UserKey(bob)+":sessions", "not a sorted set", 0).Err(); err != nil {
		t.Fatal(err)
	}
	var batch []store.Session
	var requests []store.Revocation
	for i, u := range []store.User{alice, bob, {ID: "carol"}} {
		batch = append(batch, store.Session{ID: ids(3)[i], User: u, ExpiresAt: time.Now().Add(time.Hour)})
		requests = append(requests, store.Revocation{RequestID: "r-" + u.ID, Scope: store.ScopeUser, User: u, Cutoff: time.Now().Add(time.Minute)})
	}
	puts, err := s.PutSessions(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := s.Revoke(t.Context(), requests)
	if err != nil {
		t.Fatal(err)
	}
	for i := range batch {
		for _, err := range []error{puts[i].Err, revoked[i].Err} {
			if damaged := i == 1; damaged != (err != nil) || errors.Is(err, store.ErrUnavailable) {
				t.Errorf("item %d: error %v", i, err)
			}
		}
	}
	if n := active(t, s, ids(3)...); n != 0 {
		t.Errorf("%d sessions survived", n)
	}
}

// Commands whose run time grows with the data, or that reach beyond it, are
// used neither by the store nor by its scripts.
func TestCommandsUsed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	exercise(t, open(t, server.URL(), redisstore.Config{}), true)
	stats, err := server.Client().Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	allowed := strings.Fields("ping hello info client|setinfo client|maint_notifications " +
		"eval evalsha time exists get set hget hmget hset del unlink pttl pexpire " +
		"zadd zrem zrange zrevrange zrangebyscore zcard zscan sadd srem srandmember scard sscan scan info")
	used := 0
	for line := range strings.Lines(stats) {
		name, found := strings.CutPrefix(line, "cmdstat_")
		if !found {
			continue
		}
		used++
		if name, _, _ = strings.Cut(name, ":"); !slices.Contains(allowed, name) {
			t.Errorf("command %s is used", name)
		}
	}
	if used < 20 {
		t.Errorf("only %d commands seen", used)
	}
}

// A registration that dies between its steps leaves nothing live, whichever
// step it reaches, and a logout that comes meanwhile ends it for good.
func TestRegistrationBrokenOff(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s, broken := open(t, server.URL(), redisstore.Config{}), open(t, server.URL(), redisstore.Config{})
	b := &breaker{}
	redisstore.AddHook(broken, b)
	for n := range 20 {
		user := store.User{ID: "user" + string(rune('a'+n))}
		session := store.Session{
			ID: store.TokenID("session of " + user.ID), User: user,
			AuthenticatedAt: time.Now().Add(-time.Hour), ExpiresAt: time.Now().Add(time.Hour),
		}
		b.breakAfter(n)
		_, err := broken.PutSessions(t.Context(), []store.Session{session})
		fenced, fenceErr := s.Fence(t.Context(), []store.Fence{{RequestID: "r", User: user}})
		if fenceErr != nil {
			t.Fatal(fenceErr)
		}
		if n := active(t, s, session.ID); n != 0 {
			t.Errorf("broken off after %d commands, it survived a fence of its user", n)
		}
		puts, putErr := s.PutSessions(t.Context(), []store.Session{session})
		var refused *store.RevokedError
		if putErr != nil || !errors.As(puts[0].Err, &refused) || refused.Cutoff.Before(fenced[0].Cutoff) {
			t.Errorf("broken off after %d commands and tried again: %v %v", n, puts, putErr)
		}
		if err == nil {
			return
		}
		wantUnavailable(t, "registration", err)
	}
	t.Error("the registration was broken off each time")
}

// Of two registrations in a large batch that replace each other, the later one
// stays, though they are sent on different connections.
func TestLastOfABatchReplaces(t *testing.T) {
	t.Parallel()
	s := open(t, redistest.Start(t).URL(), redisstore.Config{})
	const devices = 300
	var batch []store.PushRegistration
	put := func(device int, token string) {
		batch = append(batch, store.PushRegistration{
			User: alice, DeviceID: fmt.Sprint("device ", device), Provider: "http", PushToken: token,
		})
	}
	for device := range devices {
		put(device, "first")
	}
	for device := devices - 1; device >= 0; device-- {
		put(device, "last")
	}
	results, err := s.PutPushRegistrations(t.Context(), batch)
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results[0].Err)
	}
	revoked, err := s.Revoke(t.Context(), []store.Revocation{
		{RequestID: "r", Scope: store.ScopeUser, User: alice, Cutoff: time.Now().Add(time.Minute)},
	})
	if err != nil || revoked[0].Err != nil || len(revoked[0].PushRegistrations) != devices {
		t.Fatal(err, revoked[0].Err, len(revoked[0].PushRegistrations))
	}
	for _, r := range revoked[0].PushRegistrations {
		if r.PushToken != "last" {
			t.Errorf("%s has the %s token", r.DeviceID, r.PushToken)
		}
	}
}
