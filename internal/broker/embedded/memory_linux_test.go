package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryIsOneForEachDirectory(t *testing.T) {
	t.Parallel()
	place, first, second := t.TempDir(), t.TempDir(), t.TempDir()
	of := func(dir string) string {
		path, err := memoryIn(place, dir)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	before := of(first)
	if of(first) != before {
		t.Error("the same directory has another memory after a crash")
	}
	if of(second) == before {
		t.Error("two directories share a memory")
	}
}

func TestMemoryOfOthersIsNotUsed(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(path string) error{
		"others may read it": func(path string) error { return os.Mkdir(path, 0o755) },
		"a link":             func(path string) error { return os.Symlink(t.TempDir(), path) },
		"a file":             func(path string) error { return os.WriteFile(path, nil, 0o600) },
	} {
		place, dir := t.TempDir(), t.TempDir()
		path, err := memoryIn(place, dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Remove(path), put(path)); err != nil {
			t.Fatal(err)
		}
		if path, err := memoryIn(place, dir); !errors.Is(err, errNotOurs) {
			t.Errorf("%s: %q, %v; want %v", name, filepath.Base(path), err, errNotOurs)
		}
	}
}
