package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
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

func summaryOf(t *testing.T, args ...string) summary {
	t.Helper()
	return summaryWith(t, nil, args...)
}

// summaryWith is summaryOf with more in the environment.
func summaryWith(t *testing.T, env []string, args ...string) summary {
	t.Helper()
	cmd, _ := command(t, args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var s summary
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	if err != nil {
		t.Fatalf("logoutbench %v: %v\n%s%s", args, err, out, stderr.Bytes())
	}
	return s
}

func TestRunLoadsALogoutdOfItsOwn(t *testing.T) {
	t.Parallel()
	profile := filepath.Join(t.TempDir(), "cpu.prof")
	s := summaryOf(t, "run", "--duration", "1s", "--connections", "8", "--json", "-", "--cpu-profile", profile,
		"--dialect", "sap_v2", "--push-registrations", "2")
	if info, err := os.Stat(profile); err != nil || info.Size() == 0 {
		t.Errorf("no profile: %v", err)
	}
	if s.PerSecond <= 0 || s.Latency.P50 <= 0 || len(s.Answers) != 1 || s.Answers["204"] == 0 {
		t.Errorf("result is %+v", s)
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
	if _, err := d.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, good := range map[string]string{"sap_v1": "204", "sap_v2": "204", "elvis": "200", "kratos": "204"} {
		s := summaryWith(t, []string{"LOGOUTD_ADMIN_TOKEN=" + d.token}, "run", "--public-url", d.public, "--admin-url", d.admin,
			"--dialect", name, "--count", "100", "--rate", "1000", "--duration", "200ms", "--connections", "4", "--json", "-")
		if s.Answers[good] != 100 || len(s.Answers) != 1 {
			t.Errorf("%s: answers are %v, want 100 × %s", name, s.Answers, good)
		}
	}
	if err := d.settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	now, err := d.metrics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if done, _ := now.sum("logoutd_revocations_total", `outcome="done"`); done != 400 {
		t.Errorf("%v logouts were revoked, want 400: what was registered is what was logged out", done)
	}
}

func TestSuiteMeasuresAndReports(t *testing.T) {
	t.Parallel()
	document := filepath.Join(t.TempDir(), "docs", "benchmarks.md")
	cmd, _ := command(t, "suite", "--quick", "--only", "push", "--json", "-", "--markdown", document)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var rep report
	if err == nil {
		err = json.Unmarshal(out, &rep)
	}
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.Bytes())
	}
	if len(rep.Rows) != 1 || rep.Rows[0].Missing != "" || rep.Rows[0].Ratio <= 0 || rep.Machine.Cores == 0 || rep.Machine.Fsync <= 0 {
		t.Errorf("report is %+v", rep)
	}
	for _, file := range []string{document, filepath.Join(filepath.Dir(document), "benchmarks.svg")} {
		if info, err := os.Stat(file); err != nil || info.Size() == 0 {
			t.Errorf("%s was not written: %v", file, err)
		}
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
