package redisstore_test

import (
	"bufio"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// documented returns the redis-cli commands of a section of the package
// comment, as their arguments.
func documented(t *testing.T, section string) [][]any {
	t.Helper()
	file, err := os.Open("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	var commands [][]any
	inside := false
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := lines.Text()
		if strings.HasPrefix(line, "// # ") {
			inside = line == "// # "+section
		}
		command, ok := strings.CutPrefix(line, "//\t> ")
		if !ok || !inside {
			continue
		}
		var args []any
		for _, arg := range strings.Fields(command) {
			args = append(args, arg)
		}
		commands = append(commands, args)
	}
	if len(commands) == 0 {
		t.Fatalf("the package comment has no commands under %q", section)
	}
	return commands
}

// do runs commands on one connection, as redis-cli does, and returns the
// replies.
func do(t *testing.T, c *redis.Client, commands [][]any) []any {
	t.Helper()
	conn := c.Conn()
	defer func() { _ = conn.Close() }()
	var replies []any
	for _, command := range commands {
		reply, err := conn.Do(t.Context(), command...).Result()
		if err != nil && err != redis.Nil {
			t.Fatalf("%v: %v", command, err)
		}
		replies = append(replies, reply)
	}
	return replies
}

// A login service that follows the package comment to the letter writes a
// session that the store knows, fences and revokes, and sees that itself.
func TestDocumentedLogin(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	raw := server.Client()
	s := open(t, server.URL(), redisstore.Config{})
	id := store.TokenID("an example token")
	want := store.Session{
		ID: id, User: alice, DeviceID: "phone", AppID: "mail", Kind: store.KindAPI,
		AuthenticatedAt: time.UnixMilli(1767225600000).UTC(), ExpiresAt: time.UnixMilli(4070908800000).UTC(),
	}

	do(t, raw, documented(t, "A login service that writes sessions itself"))
	states, err := s.Sessions(t.Context(), []string{id})
	if err != nil || states[0] != (store.SessionState{Session: want, Known: true, Active: true}) {
		t.Fatalf("got %+v, %v", states, err)
	}
	if !checkedActive(t, raw) {
		t.Error("the check of the package comment calls a live session dead")
	}

	fenced, err := s.Fence(t.Context(), []store.Fence{{RequestID: "r", User: alice}})
	if err != nil || fenced[0].Err != nil {
		t.Fatal(err, fenced)
	}
	if checkedActive(t, raw) {
		t.Error("the check of the package comment overlooks the user's cutoff")
	}
	revoked, err := s.Revoke(t.Context(), []store.Revocation{
		{RequestID: "r", Scope: store.ScopeUser, User: alice, Cutoff: fenced[0].Cutoff},
	})
	if err != nil || !slices.Equal(revoked[0].SessionIDs, []string{id}) || !revoked[0].LatestExpiry.Equal(want.ExpiresAt) {
		t.Errorf("got %+v, %v; want the session revoked", revoked, err)
	}
	if checkedActive(t, raw) {
		t.Error("the check of the package comment calls a revoked session active")
	}
}

// checkedActive applies the rule of the package comment to what its commands
// return.
func checkedActive(t *testing.T, raw *redis.Client) bool {
	t.Helper()
	replies := do(t, raw, documented(t, "Checking a session"))
	record := replies[0].([]any)
	auth, exp, revoked := record[3], record[4], record[5]
	if auth == nil || revoked != nil || exp.(string) <= "1767225600000" {
		return false
	}
	for _, cutoff := range replies[1:] {
		if cutoff != nil && auth.(string) <= cutoff.(string) {
			return false
		}
	}
	return true
}

// What the store writes is what the package comment lists, nothing else, and
// everything but push registrations has an end.
func TestKeysAreDocumented(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	exercise(t, open(t, server.URL(), redisstore.Config{}), false)
	raw := server.Client()
	user := `logoutd:user:\{YWNtZQ\.YWxpY2U\}`
	push := user + `:push(:[\w-]{43})?`
	patterns := regexp.MustCompile(`^(logoutd:session:\{[\w-]{43}\}(:refresh)?|logoutd:refresh:\{[\w-]{43}\}|` +
		user + `:(sessions|refresh|cutoff|cutoff:(device|push):cGhvbmU|ended:[\w-]{43})|` +
		push + `|logoutd:push:\{[\w-]{43}\}|logoutd:request:\{[\w-]+\})$`)
	keys, err := raw.Keys(t.Context(), "*").Result()
	if err != nil || len(keys) == 0 {
		t.Fatal(err, keys)
	}
	for _, key := range keys {
		if !patterns.MatchString(key) {
			t.Errorf("key %s is not documented", key)
		}
		endless := raw.PTTL(t.Context(), key).Val() < 0
		if endless != regexp.MustCompile("^"+push+"$").MatchString(key) {
			t.Errorf("key %s: without an end: %t", key, endless)
		}
	}
}

// exercise uses every method of the store; if finished is not set it leaves
// something behind of everything.
func exercise(t *testing.T, s store.Store, finished bool) {
	t.Helper()
	ctx, all := t.Context(), ids(3)
	login(t, s, alice, all...)
	must(t)(s.PutRefreshTokens(ctx, []store.RefreshToken{
		{ID: store.TokenID("t1"), User: alice, SessionID: all[0], ExpiresAt: time.Now().Add(2 * time.Hour)},
		{ID: store.TokenID("t2"), User: alice, RotatedFrom: store.TokenID("t1"), ExpiresAt: time.Now().Add(2 * time.Hour)},
	}))
	registrations := []store.PushRegistration{
		{User: alice, DeviceID: "phone", AppID: "mail", Provider: "http", PushToken: "p1", SessionID: all[0]},
		{User: alice, DeviceID: "phone", Provider: "http", PushToken: "p2"},
	}
	must(t)(s.PutPushRegistrations(ctx, registrations))
	requests := []store.Revocation{
		{RequestID: "r-" + all[0], Scope: store.ScopeSession, SessionID: all[0], User: alice, DeviceID: "phone", AppID: "mail", AuthenticatedAt: time.Now().Add(-time.Hour), Cutoff: time.Now()},
		{RequestID: "r-device", Scope: store.ScopeDevice, User: alice, DeviceID: "phone", Cutoff: time.Now().Add(-2 * time.Hour)},
		{RequestID: "r-user", Scope: store.ScopeUser, User: alice, Cutoff: time.Now().Add(-2 * time.Hour)},
	}
	_, err := s.Fence(ctx, append(fences(all[0]), store.Fence{RequestID: "r-user", User: alice, At: time.Now().Add(-2 * time.Hour)}))
	if err == nil {
		_, err = s.Revoke(ctx, requests)
	}
	if err == nil && finished {
		_, err = s.Finish(ctx, requests)
	} else if err == nil {
		_, err = s.Finish(ctx, requests[1:])
	}
	if err == nil {
		_, err = s.Sessions(ctx, all)
	}
	if err == nil {
		_, err = s.RefreshTokens(ctx, []string{store.TokenID("t1")})
	}
	if err == nil {
		_, err = s.Reregistered(ctx, []store.PushCheck{{User: alice, PushRegistrationID: store.PushRegistrationID(registrations[0])}})
	}
	if err == nil {
		_, err = s.Finished(ctx, requests)
	}
	if err == nil {
		_, err = s.Holders(ctx, "", 100)
	}
	if err == nil {
		_, err = s.Users(ctx, []store.User{alice})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// must ends the test where a registration failed.
func must(t *testing.T) func([]store.PutResult, error) {
	return func(results []store.PutResult, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
	}
}

// An entry of a push token lives no longer than the registration that holds it,
// and is written down as the package comment says.
func TestEntriesOfPushTokensEnd(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s, raw := open(t, server.URL(), redisstore.Config{}), server.Client()
	p := store.PushRegistration{User: alice, DeviceID: "phone", Provider: "http", PushToken: "p1"}
	must(t)(s.PutPushRegistrations(t.Context(), []store.PushRegistration{p}))
	entries := func() []string { return raw.Keys(t.Context(), "logoutd:push:*").Val() }
	first := entries()
	if want := "logoutd:push:{" + store.PushTokenID("http", "p1") + "}"; !slices.Equal(first, []string{want}) {
		t.Fatalf("entries %q, want %s", first, want)
	}
	holder := raw.HGet(t.Context(), first[0], "holder").Val()
	if want := redisstore.UserKey(alice) + ":push:" + store.PushRegistrationID(p); holder != want {
		t.Errorf("the holder is %s, want %s", holder, want)
	}
	p.PushToken = "p2"
	must(t)(s.PutPushRegistrations(t.Context(), []store.PushRegistration{p}))
	if now := entries(); len(now) != 1 || now[0] == first[0] {
		t.Errorf("entries %q after another push token", now)
	}
	r := []store.Revocation{{RequestID: "r", Scope: store.ScopeUser, User: alice, Cutoff: time.Now().Add(time.Second)}}
	if _, err := s.Revoke(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Finish(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if now := entries(); len(now) != 0 {
		t.Errorf("entries %q are left when nobody has the push token", now)
	}
}
