package access_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/testkit"
)

// TestEverywhere: what one process does takes effect there at once, and in the
// others.
func TestEverywhere(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	here, there := b.ready(), b.ready()
	secret := create(t, here, "ops.night", access.Operator)
	if !opens(here, secret) {
		t.Error("a token does not open the process that made it")
	}
	testkit.Eventually(t, "the token opens the other", func() bool { return opens(there, secret) })

	revoke(t, there, "ops.night")
	if opens(there, secret) {
		t.Error("a revoked token opens the process that revoked it")
	}
	testkit.Eventually(t, "the token ends in the other", func() bool { return !opens(here, secret) })
	if err := here.Revoke(t.Context(), "ops.night"); !errors.Is(err, access.ErrNoToken) {
		t.Errorf("revoking it again: %v", err)
	}

	again := create(t, here, "ops.night", access.Viewer)
	testkit.Eventually(t, "a new token of the name opens", func() bool { return opens(there, again) })
	if opens(here, secret) || opens(there, secret) {
		t.Error("the old one opens again")
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	here, there := b.ready(), b.instance()
	if all, err := there.List(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("nothing: %v, %v", all, err)
	}
	create(t, here, "b", access.Viewer)
	create(t, here, ".a", access.Operator)
	create(t, here, "c", access.Viewer)
	revoke(t, here, "c")
	all, err := there.List(t.Context())
	want := []access.Token{
		{Name: ".a", Role: access.Operator, CreatedBy: "admin"}, {Name: "b", Role: access.Viewer, CreatedBy: "admin"},
	}
	if diff := cmp.Diff(want, all, cmpopts.IgnoreFields(access.Token{}, "CreatedAt")); diff != "" || err != nil {
		t.Fatalf("%v\n%s", err, diff)
	}
	if age := time.Since(all[0].CreatedAt); age < 0 || age > time.Minute {
		t.Errorf("created at %v", all[0].CreatedAt)
	}
}

// TestSameNameAtOnce: exactly one is made, of a name never used and of one
// that was revoked.
func TestSameNameAtOnce(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	instances := []*access.Tokens{b.ready(), b.ready()}
	for range 5 {
		secrets := make(chan string, 8)
		var all errgroup.Group
		for i := range cap(secrets) {
			all.Go(func() error {
				secret, _, err := instances[i%2].Create(t.Context(), "twin", access.Viewer, "x")
				if err == nil {
					secrets <- secret
				} else if !errors.Is(err, access.ErrExists) {
					return err
				}
				return nil
			})
		}
		if err := all.Wait(); err != nil || len(secrets) != 1 {
			t.Fatalf("%d were made: %v", len(secrets), err)
		}
		secret := <-secrets
		testkit.Eventually(t, "it opens both", func() bool { return opens(instances[0], secret) && opens(instances[1], secret) })
		revoke(t, instances[0], "twin")
	}
}

// TestSecretsAreNotKept looks for secrets in all that the broker has written.
func TestSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	tokens := b.ready()
	secret := create(t, tokens, "ci", access.Registry)
	random := strings.TrimPrefix(secret, "logoutd_")
	raw, err := base64.RawURLEncoding.DecodeString(random)
	if err != nil || len(raw) != 32 {
		t.Fatalf("%d random bytes: %v", len(raw), err)
	}
	b.stop() // everything is in the files
	kept := contents(t, b.options.StoreDir)
	hash := sha256.Sum256([]byte(secret))
	if !strings.Contains(kept, base64.RawURLEncoding.EncodeToString(hash[:])) {
		t.Fatal("the token is not in the files: are these the broker's?")
	}
	if strings.Contains(kept, random) || strings.Contains(kept, string(raw)) || strings.Contains(kept, root) {
		t.Error("the broker has a secret")
	}
	b.start()
}

func contents(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		all.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
