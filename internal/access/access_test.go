package access_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/logoutd/logoutd/internal/access"
)

func TestMay(t *testing.T) {
	t.Parallel()
	cases := map[access.Role]string{
		access.Registry: "registry", access.Viewer: "viewer", access.Operator: "registry viewer operator", "": "", "other": "",
	}
	for holds, want := range cases {
		caller := access.Caller{Name: "someone", Role: holds}
		for _, wanted := range []access.Role{access.Registry, access.Viewer, access.Operator} {
			if got := caller.May(wanted); got != strings.Contains(want, string(wanted)) {
				t.Errorf("%q may %q: %v", holds, wanted, got)
			}
		}
		if caller.May("") {
			t.Errorf("%q may what has no name", holds)
		}
	}
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	tokens := startBroker(t).ready()
	first, second := create(t, tokens, "first", access.Viewer), create(t, tokens, "second", access.Registry)
	for secret, want := range map[string]access.Caller{
		root:   {Name: "admin", Role: access.Operator},
		first:  {Name: "first", Role: access.Viewer},
		second: {Name: "second", Role: access.Registry},
	} {
		if got, ok := tokens.Authenticate(secret); !ok || got != want {
			t.Errorf("%v came in as %v, %v", want, got, ok)
		}
	}
	for name, secret := range map[string]string{
		"nothing": "", "a prefix": first[:len(first)-1], "more": first + "x", "the prefix of all": "logoutd_",
		"without the prefix": strings.TrimPrefix(first, "logoutd_"), "upper case": strings.ToUpper(first), "both": first + second,
	} {
		if got, ok := tokens.Authenticate(secret); ok || got != (access.Caller{}) {
			t.Errorf("%s came in as %v", name, got)
		}
	}
}

// TestNoRoot: settings without a token must not let in who presents none.
func TestNoRoot(t *testing.T) {
	t.Parallel()
	tokens := access.New(access.Config{JetStream: startBroker(t).connect()})
	if opens(tokens, "") {
		t.Error("came in without a token")
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	tokens := startBroker(t).instance()
	longest := strings.Repeat("x", 64)
	for _, name := range []string{"a", ".", "..", "-x", "_", ".a.", "ci.deploy-2_B", "admins", longest} {
		if secret := create(t, tokens, name, access.Viewer); !opens(tokens, secret) {
			t.Errorf("%q does not come in", name)
		}
	}
	for _, name := range []string{"", "admin", "Admin", longest + "x", "a b", "a/b", "a*", ">", "é", "a\n", "a\x00"} {
		if _, _, err := tokens.Create(t.Context(), name, access.Viewer, "x"); !errors.Is(err, access.ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, role := range []access.Role{"", "admin", "Viewer"} {
		if _, _, err := tokens.Create(t.Context(), "new", role, "x"); !errors.Is(err, access.ErrRole) {
			t.Errorf("role %q: %v", role, err)
		}
	}
	if _, _, err := tokens.Create(t.Context(), "a", access.Operator, "x"); !errors.Is(err, access.ErrExists) {
		t.Errorf("a second time: %v", err)
	}
	for _, name := range []string{"new", "admin", "a/b", ""} {
		if err := tokens.Revoke(t.Context(), name); !errors.Is(err, access.ErrNoToken) {
			t.Errorf("revoking %q: %v", name, err)
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	tokens := access.New(access.Config{Root: root})
	for b.Loop() {
		tokens.Authenticate("logoutd_of-nobody")
	}
}
