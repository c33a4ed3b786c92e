package access_test

import (
	"errors"
	"testing"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/testkit"
)

// TestBrokerAway: tokens go on from memory, and a process that starts
// meanwhile lets the root token in, and the rest when the broker is back.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	here, there := b.ready(), b.ready()
	secret := create(t, here, "ops", access.Operator)
	testkit.Eventually(t, "the token opens the other", func() bool { return opens(there, secret) })

	b.stop()
	late := b.instance()
	if !opens(here, secret) || !opens(there, secret) || !opens(late, root) || late.Loaded() || opens(late, secret) {
		t.Errorf("without the broker: %v %v, root %v", opens(here, secret), opens(there, secret), opens(late, root))
	}
	_, _, creating := here.Create(t.Context(), "new", access.Viewer, "x")
	_, listing := here.List(t.Context())
	for _, err := range []error{creating, listing, here.Revoke(t.Context(), "ops")} {
		if !errors.Is(err, broker.ErrUnavailable) {
			t.Errorf("without the broker: %v", err)
		}
	}
	if !opens(here, secret) {
		t.Error("a revocation that failed took effect")
	}

	b.start()
	testkit.Eventually(t, "the late one lets it in", func() bool { return opens(late, secret) })
	testkit.Eventually(t, "it can be revoked", func() bool { return late.Revoke(t.Context(), "ops") == nil })
	testkit.Eventually(t, "it ends everywhere", func() bool { return !opens(here, secret) && !opens(there, secret) })
	if !opens(here, root) {
		t.Error("the root token ended with it")
	}
}

// TestMissedWhileCutOff: what changes while a process is not connected reaches
// it afterwards.
func TestMissedWhileCutOff(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	here, js := b.ready(), b.connect()
	there := access.New(access.Config{JetStream: js})
	run(t, there)
	for range 5 {
		secret := create(t, here, "ops", access.Operator)
		testkit.Eventually(t, "the token opens the other", func() bool { return opens(there, secret) })
		if err := js.Conn().ForceReconnect(); err != nil {
			t.Fatal(err)
		}
		revoke(t, here, "ops")
		testkit.Eventually(t, "it ends in the other", func() bool { return !opens(there, secret) })
	}
}

// TestReadingUndoesNothing: a reading of all tokens at the same time neither
// hides a new token nor brings a revoked one back.
func TestReadingUndoesNothing(t *testing.T) {
	t.Parallel()
	tokens := startBroker(t).ready()
	for range 50 {
		stop := run(t, tokens) // reads them all
		secret := create(t, tokens, "ops", access.Operator)
		if !opens(tokens, secret) {
			t.Fatal("a new token does not come in")
		}
		revoke(t, tokens, "ops")
		if opens(tokens, secret) {
			t.Fatal("a revoked token comes in")
		}
		stop()
	}
}

// TestForeignEntries: what is no token lets nobody in, and keeps nobody out.
func TestForeignEntries(t *testing.T) {
	t.Parallel()
	b := startBroker(t)
	tokens, js := b.ready(), b.connect()
	bucket, err := js.KeyValue(t.Context(), "logoutd_tokens")
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range map[string]string{
		"text": "no JSON", "short": `{"role":"operator","sha256":"AAAA"}`, "empty": `{"role":"operator"}`,
		"role":  `{"role":"root","sha256":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}`,     // of ""
		"admin": `{"role":"operator","sha256":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}`, // a reserved name
	} {
		if _, err := bucket.PutString(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	secret := create(t, b.ready(), "ops", access.Operator)
	testkit.Eventually(t, "the token comes in", func() bool { return opens(tokens, secret) })
	if opens(tokens, "") {
		t.Error("somebody came in without a token")
	}
	if all, err := tokens.List(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("listed: %v, %v", all, err)
	}
}
