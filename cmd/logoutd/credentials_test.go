package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestNoRawCredentialAnywhere goes through everything, bad input too, and then
// looks for credentials in all that logoutd has written: each begins with raw-.
func TestNoRawCredentialAnywhere(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	s := newSetup(t, "retry: {give_up_after: 10ms, initial: 5ms}\n"+
		provider.settings(`, timeout: 200ms, headers: {Authorization: "Bearer ${PUSH_KEY}"}`), "--log-level", "debug")
	s.env = []string{"PUSH_KEY=raw-push-key"}
	i := s.start(t)
	w := &writings{said: map[string]string{}}

	csrf := useDialects(i)
	useAdmin(i)
	failPushes(i, provider)
	useCommands(i, provider, w)
	subscriber := useBroker(t, i)
	w.said["metrics"] = get(i.admin+"/metrics", "").body
	w.said["failed list"] = i.mustCLI("failed", "list", "--output", "json")
	for _, l := range i.letters() {
		w.said["failed show "+l.ID] = i.mustCLI("failed", "show", l.ID)
	}
	w.said["events"] = i.followEvents()
	i.signal(syscall.SIGTERM)
	if code, took := i.exit(patience); code != exitOK {
		t.Errorf("exit code %d after %s", code, took)
	}
	w.said["stdout"], w.said["log"] = i.stdout.String(), i.stderr.String()

	id := newLogin("kratos", "dialects-kratos").id()
	for where, want := range map[string]string{"log": id, "events": id, "failed list": "http_500", "metrics": "logoutd_fence_total"} {
		if !strings.Contains(w.said[where], want) {
			t.Errorf("%s: there is no %s; is this everything?", where, want)
		}
	}
	w.expectNone(t, "raw-", csrf, i.token, subscriber, s.secret(secretFile))
	expectNoneInFiles(t, s.data(), newLogin("kratos", "dialects-kratos").device, csrf)
	expectNoneInFiles(t, s.data(), "", subscriber)
	for _, name := range []string{adminTokenFile, secretFile} {
		secret := s.secret(name)
		if err := os.Remove(s.data(name)); err != nil {
			t.Fatal(err)
		}
		expectNoneInFiles(t, s.data(), "", secret)
	}
}

// writings is what logoutd has said, and where.
type writings struct{ said map[string]string }

func (w *writings) expectNone(t *testing.T, credentials ...string) {
	t.Helper()
	for where, text := range w.said {
		for _, credential := range credentials {
			if at := strings.Index(text, credential); at >= 0 {
				t.Errorf("%s: a credential (%.12s…) %d bytes in", where, credential, at)
			}
		}
	}
}

// expectNoneInFiles looks through the files in dir, where push tokens may lie.
// known is something that they have to contain.
func expectNoneInFiles(t *testing.T, dir, known string, credentials ...string) {
	t.Helper()
	seen := false
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		text := strings.ReplaceAll(string(content), "raw-push-", "")
		seen = seen || strings.Contains(text, known)
		w := &writings{said: map[string]string{path: text}}
		w.expectNone(t, append(credentials, "raw-")...)
		return err
	})
	if err != nil || !seen {
		t.Errorf("%s: %s is in no file: is this everything? %v", dir, known, err)
	}
}
