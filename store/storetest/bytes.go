package storetest

import (
	"slices"
	"strings"
	"time"

	"github.com/logoutd/logoutd/store"
)

var byteTests = []test{
	{"every byte comes back", bytesComeBack},
	{"ids that resemble each other stay apart", bytesApart},
}

// everyByte is an id of 256 bytes that holds each of them, beginning with the
// one given: NUL, newline, braces, invalid UTF-8 and all.
func everyByte(first byte) string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = first + byte(i)
	}
	return string(b)
}

func bytesComeBack(w *world) {
	// The seed keeps the user apart from those of other runs.
	u := w.as(store.User{TenantID: everyByte('{')[:200] + w.seed, ID: everyByte(0)[:200] + w.seed})
	session := store.Session{ID: "s", DeviceID: everyByte('}'), AppID: everyByte(0xff), AuthenticatedAt: w.ago(10)}
	bound := store.RefreshToken{ID: "t", SessionID: "s", AppID: everyByte('\n')}
	registration := store.PushRegistration{
		ID: "p", DeviceID: everyByte('}'), AppID: everyByte(0xff), Provider: everyByte(':'),
		PushToken: strings.Repeat(everyByte(0x80), 16), SessionID: "s", RegisteredAt: w.ago(10),
	}
	u.login(session)
	u.grant(bound)
	u.subscribe(registration)
	u.equal("session", u.sessionState("s").Session, u.session(session))
	want := u.token(bound)
	want.DeviceID, want.AuthenticatedAt = session.DeviceID, session.AuthenticatedAt
	u.equal("token", u.tokenState("t").RefreshToken, want)

	f := u.fenceSession("s", store.ScopeDevice)
	u.equal("fenced", f.Session, u.session(session))
	r := u.revocation("s", store.ScopeDevice, f)
	revoked := u.revoke(r)
	u.equal("push registrations", revoked.PushRegistrations, []store.PushRegistration{u.push(registration)})
	u.equal("told", u.told(r, revoked), told{Sessions: []string{"s"}, Tokens: 1, Pushes: []string{"p"}})
	u.finish(r)
	u.wantLive()
	u.refused("s1", u.putSession(store.Session{ID: "s1", DeviceID: session.DeviceID, AuthenticatedAt: w.ago(10)}), f.Cutoff)
}

// resembling are ids that a careless key, separator or collation would mix up.
var resembling = []string{
	"a", "A", "a ", " a", "a\x00", "\x00a", "a\x00b", "a:b", "a/b", "a|b", "{a}", "{a", "a}", "{", "}", "{}", "a*", "a?", "[a]",
	"a\n", "a\r", "a%", "a_", "a'", `a"`, `a\`, "1", "01", "1.0", "\xff", "\xfe", "\xc3\xa4", "a\xcc\x88", "YQ", "null", "*",
}

func bytesApart(w *world) {
	for _, d := range resembling {
		w.login(store.Session{ID: "s" + d, DeviceID: d, AuthenticatedAt: w.ago(10)})
		w.subscribe(store.PushRegistration{ID: "p" + d, DeviceID: d, RegisteredAt: w.ago(10)})
	}
	for _, d := range resembling {
		got := w.complete(w.fenceUser("operator"+d, d, time.Time{}))
		w.equal("told for "+d, got, told{Sessions: []string{"s" + d}, Pushes: []string{"p" + d}})
	}
	for _, u := range resembling {
		other := w.as(store.User{TenantID: u, ID: w.seed})
		other.login(store.Session{ID: "t" + u, AuthenticatedAt: w.ago(10)})
		mirrored := w.as(store.User{TenantID: w.seed, ID: u})
		mirrored.login(store.Session{ID: "u" + u, AuthenticatedAt: w.ago(10)})
	}
	for i, u := range resembling {
		for prefix, user := range map[string]store.User{
			"t": {TenantID: u, ID: w.seed}, "u": {TenantID: w.seed, ID: u},
		} {
			of := w.as(user)
			got := of.complete(of.fenceUser(prefix+u, "", time.Time{}))
			w.equal("told for "+u, got, told{Sessions: []string{prefix + u}})
		}
		if left := len(w.live()); left != 2*(len(resembling)-i-1) {
			w.Fatalf("after %q: %d live: %q", slices.Clone(resembling[:i+1]), left, w.live())
		}
	}
}
