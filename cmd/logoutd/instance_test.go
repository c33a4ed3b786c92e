package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// instance is logoutd serve, running as a program.
type instance struct {
	*process
	setup  setup
	public string        // URL of the public listener; empty without the front role
	admin  string        // URL of the admin listener
	token  string        // of the admin API; empty without the admin role
	took   time.Duration // from its start to ready
}

// setup is how an instance is run: in dir, with the data directory in it, on
// ports that are free.
type setup struct {
	dir   string
	yaml  string   // settings file
	env   []string // beside what any program has
	flags []string
	// descriptors is how many files and connections it can have open; 0: as
	// many as the test.
	descriptors int
}

func newSetup(t testing.TB, yaml string, flags ...string) setup {
	t.Helper()
	return setup{dir: t.TempDir(), yaml: yaml, flags: flags}
}

// data returns the path of a file in the data directory.
func (s setup) data(name ...string) string {
	return filepath.Join(append([]string{s.dir, "logoutd-data"}, name...)...)
}

// secret returns what is in a file of the data directory, empty where there is
// none.
func (s setup) secret(name string) string {
	text, _ := os.ReadFile(s.data(name))
	return strings.TrimSpace(string(text))
}

// launch starts the program and returns without waiting for it.
func (s setup) launch(t testing.TB) *instance {
	t.Helper()
	args := []string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--nats-listen", "127.0.0.1:0"}
	if s.yaml != "" {
		if err := os.WriteFile(filepath.Join(s.dir, "logoutd.yaml"), []byte(s.yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", "logoutd.yaml")
	}
	program, args := build(t, logoutdProgram), append(args, s.flags...)
	if s.descriptors > 0 {
		program, args = "sh", append([]string{"-c", `ulimit -n "$0" && exec "$@"`, fmt.Sprint(s.descriptors), program}, args...)
	}
	return &instance{process: launch(t, s.dir, s.env, program, args...), setup: s}
}

// start starts the program and waits until it is ready.
func (s setup) start(t testing.TB) *instance {
	t.Helper()
	build(t, logoutdProgram)
	start := time.Now()
	i := s.launch(t)
	i.awaitAddresses()
	i.await("ready", func() bool { return get(i.admin+"/readyz", "").status == 200 })
	i.took = time.Since(start)
	return i
}

// awaitAddresses reads from what the program prints where it listens.
func (i *instance) awaitAddresses() {
	i.t.Helper()
	i.await("addresses", func() bool { return i.printed("store") != "" }) // the last of them
	i.public, i.admin = i.printed("logouts"), i.printed("admin")
	i.token = i.setup.secret(adminTokenFile)
}

// printed returns what the program says under a name; empty where it does not
// (yet).
func (i *instance) printed(name string) string {
	line := regexp.MustCompile(`(?m)^  ` + name + `: +(.*)\n`).FindStringSubmatch(i.stdout.String())
	if line == nil {
		return ""
	}
	return line[1]
}

// cli runs a command of the program against this instance.
func (i *instance) cli(stdin string, args ...string) (stdout, stderr string, code int) {
	i.t.Helper()
	p := i.command(stdin, args...)
	code, _ = p.exit(patience)
	return p.stdout.String(), p.stderr.String(), code
}

// command starts a command of the program against this instance.
func (i *instance) command(stdin string, args ...string) *process {
	i.t.Helper()
	env := append([]string{"LOGOUTD_ADMIN_URL=" + i.admin}, i.setup.env...)
	return launchWith(i.t, stdin, i.setup.dir, env, build(i.t, logoutdProgram), args...)
}

// mustCLI is cli for what has to succeed; it returns what was printed.
func (i *instance) mustCLI(args ...string) string {
	i.t.Helper()
	stdout, stderr, code := i.cli("", args...)
	if code != exitOK {
		i.t.Fatalf("logoutd %v: exit code %d: %s", args, code, stderr)
	}
	return stdout
}
