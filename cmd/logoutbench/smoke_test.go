package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programsDir holds what programs has built; empty: nothing.
var programsDir string

// programs builds logoutd and logoutbench beside each other, once.
var programs = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "logoutbench-programs"); err != nil {
		return "", err
	}
	programsDir = dir
	cmd := exec.Command("go", "build", "-trimpath", "-pgo=off", "-o", dir,
		"github.com/logoutd/logoutd/cmd/logoutd", "github.com/logoutd/logoutd/cmd/logoutbench")
	cmd.Stderr = os.Stderr
	return dir, cmd.Run()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if programsDir != "" {
		_ = os.RemoveAll(programsDir)
	}
	os.Exit(code)
}

// command prepares logoutbench to be run with a data directory of its own.
func command(t *testing.T, args ...string) (cmd *exec.Cmd, dataDir string) {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	dataDir = t.TempDir()
	cmd = exec.Command(filepath.Join(dir, "logoutbench"), append(args, "--data-dir", dataDir)...)
	t.Cleanup(func() {
		left, err := os.ReadDir(dataDir)
		if err != nil || len(left) > 0 {
			t.Errorf("%v leaves %v behind, %v", args, left, err)
		}
	})
	return cmd, dataDir
}

// reportOf runs logoutbench and returns the report that it writes.
func reportOf(t *testing.T, args ...string) report {
	t.Helper()
	return reportWith(t, nil, args...)
}

// reportWith is reportOf with more in the environment.
func reportWith(t *testing.T, env []string, args ...string) report {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	cmd, _ := command(t, append(args, "--json", file)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("logoutbench %v: %v\n%s", args, err, out)
	}
	text, err := os.ReadFile(file)
	var rep report
	if err == nil {
		err = json.Unmarshal(text, &rep)
	}
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestRunLoadsALogoutdOfItsOwn(t *testing.T) {
	t.Parallel()
	profile := filepath.Join(t.TempDir(), "cpu.prof")
	rep := reportOf(t, "run", "--duration", "1s", "--connections", "8", "--cpu-profile", profile,
		"--dialect", "sap_v2", "--push-registrations", "2")
	if info, err := os.Stat(profile); err != nil || info.Size() == 0 {
		t.Errorf("no profile: %v", err)
	}
	if len(rep.Rows) != 4 || !regexp.MustCompile(`map\[204:[1-9]\d*\]`).MatchString(rep.Rows[0].Note) {
		t.Errorf("report is %+v, want only answers with 204", rep)
	}
}

func TestRunLoadsADeploymentInEveryDialect(t *testing.T) {
	t.Parallel()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDeployment(filepath.Join(dir, "logoutd"), t.TempDir(), deployOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.stop)
	if err := d.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"sap_v1": "204:100", "sap_v2": "204:100", "elvis": "200:100", "kratos": "204:100"} {
		rep := reportWith(t, []string{"LOGOUTD_ADMIN_TOKEN=" + d.token}, "run", "--public-url", d.public, "--admin-url", d.admin,
			"--dialect", name, "--count", "100", "--rate", "1000", "--duration", "200ms", "--connections", "4")
		if !strings.Contains(rep.Rows[0].Note, "map["+want+"]") {
			t.Errorf("%s: %+v, want %s", name, rep.Rows[0], want)
		}
	}
	if err := d.settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.reach(t.Context(), 400, "logoutd_revocations_total", `outcome="done"`); err != nil {
		t.Errorf("what was registered is not what was logged out: %v", err)
	}
}

func TestSuiteMeasuresAndReports(t *testing.T) {
	t.Parallel()
	document := filepath.Join(t.TempDir(), "docs", "benchmarks.md")
	rep := reportOf(t, "suite", "--quick", "--only", "push", "--markdown", document)
	if len(rep.Rows) != 1 || rep.Rows[0].Ratio <= 0 || rep.Machine.Cores == 0 || rep.Machine.Fsync == "" {
		t.Errorf("report is %+v", rep)
	}
	text, err := os.ReadFile(document)
	if err != nil || !strings.Contains(string(text), "| push registrations deleted | ") {
		t.Errorf("document: %v: %s", err, text)
	}
}

func TestInterruptEndsEverything(t *testing.T) {
	t.Parallel()
	cmd, _ := command(t, "run", "--duration", "1h", "--rate", "10", "--connections", "2")
	var stderr transcript
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	running := func() (bool, error) { return bytes.Contains([]byte(stderr.String()), []byte("sap_v1 with")), nil }
	if err := eventually(t.Context(), time.Minute, running); err != nil {
		t.Errorf("it does not begin: %v: %s", err, stderr.String())
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("it ends with %v, want exit code 1", err)
	}
	if stderr.last() != "logoutbench: interrupted" {
		t.Errorf("it says last: %s", stderr.last())
	}
}

func TestUsageIsRefused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"run", "--public-url", "http://127.0.0.1:1"},
		{"run", "--public-url", "http://127.0.0.1:1", "--admin-url", "http://127.0.0.1:2"},
		{"run", "--public-url", "http://127.0.0.1:1", "--admin-url", "http://127.0.0.1:2", "--redis", "own"},
		{"run", "--connections", "0"},
		{"run", "--dialect", "oidc"},
		{"suite", "--only", "everything"},
	} {
		if code := run(args); code != 2 {
			t.Errorf("%v: exit code %d, want 2", args, code)
		}
	}
}
