package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Programs that tests run beside themselves.
const (
	logoutdProgram = "github.com/logoutd/logoutd/cmd/logoutd"
	natsProgram    = "github.com/nats-io/nats-server/v2"
)

// builds are the programs that were built for this run of the tests.
var builds struct {
	sync.Mutex
	dir   string
	paths map[string]string
}

// build returns the path of a program, which is built when it is first asked
// for: as make does it, so that both share Go's cache.
func build(t testing.TB, program string) string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	if path := builds.paths[program]; path != "" {
		return path
	}
	path, err := buildInto(&builds.dir, program)
	if err != nil {
		t.Fatal(err)
	}
	if builds.paths == nil {
		builds.paths = map[string]string{}
	}
	builds.paths[program] = path
	return path
}

func buildInto(dir *string, program string) (path string, err error) {
	if *dir == "" {
		if *dir, err = os.MkdirTemp("", "logoutd-programs"); err != nil {
			return "", err
		}
	}
	path = filepath.Join(*dir, filepath.Base(filepath.Dir(program))+"-"+filepath.Base(program))
	if output, err := exec.Command("go", "build", "-trimpath", "-pgo=off", "-o", path, program).CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", program, err, output)
	}
	return path, nil
}

// cleaning is a run of the tests that takes the programs away at its end.
type cleaning struct{ *testing.M }

// Run implements [testscript.TestingM].
func (m cleaning) Run() int {
	defer func() { _ = os.RemoveAll(builds.dir) }()
	return m.M.Run()
}
