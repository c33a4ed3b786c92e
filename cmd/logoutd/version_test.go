package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestVersionTellsTheCommit of a program that was built with -trimpath from a
// checkout; outside of one it says that it does not know.
func TestVersionTellsTheCommit(t *testing.T) {
	t.Parallel()
	program, want := build(t, logoutdProgram), "(commit "
	if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
		program, want = buildClone(t)
	}
	for _, args := range [][]string{{"version"}, {"--version"}} {
		p := launch(t, t.TempDir(), nil, program, args...)
		code, _ := p.exit(patience)
		if said := p.stdout.String(); code != exitOK || !strings.HasPrefix(said, "logoutd ") || !strings.Contains(said, want) {
			t.Errorf("%v: exit code %d, %q, want %s", args, code, said, want)
		}
	}
}

// buildClone builds a clone of this checkout, which may be a work tree: for one
// of these go build does not record the commit.
func buildClone(t *testing.T) (program, commit string) {
	t.Helper()
	dir := t.TempDir()
	checkout, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	program = filepath.Join(t.TempDir(), "logoutd")
	var out []byte
	for _, command := range [][]string{
		{"git", "clone", "-q", "file://" + checkout, "."},
		{"go", "build", "-trimpath", "-pgo=off", "-o", program, "./cmd/logoutd"},
		{"git", "rev-parse", "HEAD"},
	} {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = dir
		if out, err = cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
	}
	return program, "(commit " + string(out[:12])
}
