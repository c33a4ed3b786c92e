package main

import (
	"os"
	"testing"
)

// TestExposedSecretsAreWarnedOf: of a token that every user can read, and of an
// admin listener beyond loopback; of neither by default.
func TestExposedSecretsAreWarnedOf(t *testing.T) {
	t.Parallel()
	s := newSetup(t, "")
	first := s.start(t)
	first.kill()
	if first.stderr.contains("can read a secret") || first.stderr.contains("plain HTTP") {
		t.Errorf("warned by default: %s", first.stderr.String())
	}
	if err := os.Chmod(s.data(adminTokenFile), 0o644); err != nil {
		t.Fatal(err)
	}
	s.flags = append(s.flags, "--admin-listen", "0.0.0.0:0")
	second := s.launch(t)
	second.await("the warning of the file", func() bool {
		return second.stderr.contains("can read a secret") && second.stderr.contains(adminTokenFile)
	})
	second.await("the warning of the listener", func() bool { return second.stderr.contains("plain HTTP") })
}
