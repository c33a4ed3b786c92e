package main

import (
	"strings"
	"testing"
)

// TestPushProviderThatIsNotConfigured: a registration that names one is accepted,
// and everybody who can do something about it hears of it.
func TestPushProviderThatIsNotConfigured(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	i := newSetup(t, provider.settings("")).start(t) // its name is http
	l := newLogin("ada", "unconfigured")
	push := l.pushFields()
	if a := i.put("push-registrations", push); !a.ok() || strings.Contains(a.body, "warnings") {
		t.Errorf("a configured provider: %d %s", a.status, a.body)
	}
	push["provider"], push["session_id"] = "fcm-old", l.id()
	i.mustRegister(l)
	if a := i.put("push-registrations", push); !a.ok() || !strings.Contains(a.body, `"warnings":["the provider fcm-old is not configured`) {
		t.Errorf("no warning at registration: %d %s", a.status, a.body)
	}
	line := `{"type":"push_registration","user_id":"ada","device_id":"d2","provider":"fcm-old","push_token":"p2"}` + "\n"
	if out, said, code := i.cli(line, "import", "-"); code != 0 || !strings.Contains(said, "1 push registrations name the provider fcm-old") {
		t.Errorf("import: exit %d, %s%s", code, out, said)
	}
	if n := i.metric("logoutd_push_unconfigured_total", `provider="fcm-old"`, `outcome="registered"`); n != 2 {
		t.Errorf("%v registrations are counted, want 2", n)
	}

	i.mustLogOut("sap_v2", l.session)
	eventually(t, "the deletions are counted", func() bool {
		return i.metric("logoutd_push_unconfigured_total", `provider="fcm-old"`, `outcome="deleted"`) == 2
	})
	if n := strings.Count(i.stderr.String(), "names a provider that is not configured"); n != 1 {
		t.Errorf("the log tells %d times of it, want once", n)
	}
	const notice = "not told of logouts: fcm-old."
	eventually(t, "the overview tells of it", func() bool { return strings.Contains(get(i.admin+"/v1/overview", i.token).body, notice) })
	if ready := get(i.admin+"/readyz", "").body; strings.Contains(ready, "fcm-old") {
		t.Errorf("/readyz tells strangers of it: %s", ready)
	}
}
