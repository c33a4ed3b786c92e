package webhook_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// verification is a line of the input of testdata/verify.js.
type verification struct {
	Secret  string            `json:"secret"`
	Public  string            `json:"public,omitempty"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// TestPublicVerifiers has the verifiers that receivers use check what was sent:
// the npm packages standardwebhooks and svix, of the versions in
// testdata/package-lock.json. They know no v1a, which Node's own Ed25519 checks.
func TestPublicVerifiers(t *testing.T) {
	t.Parallel()
	verify := installVerifiers(t)
	seed := bytes.Repeat([]byte{7}, ed25519.SeedSize)
	public := base64.StdEncoding.EncodeToString(ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	w, _ := start(t, status(http.StatusOK), "")
	id := w.logoutOf("ada ü")
	w.eventually("delivery", func() bool { return len(w.receiver.of(id)) == 1 })
	v1 := verificationOf(w.receiver.of(id)[0], newSecret, "")

	private := "whsk_" + base64.StdEncoding.EncodeToString(seed)
	both, _ := start(t, status(http.StatusOK), "", newSecret, private)
	id = both.logoutOf("bob")
	both.eventually("delivery", func() bool { return len(both.receiver.of(id)) == 1 })
	mixed := verificationOf(both.receiver.of(id)[0], newSecret, public)

	old, forged, late, foreign := v1, mixed, v1, v1
	old.Secret = oldSecret
	forged.Body = strings.Replace(forged.Body, "bob", "eve", 1)
	late.Headers = map[string]string{}
	for name, value := range v1.Headers {
		late.Headers[name] = value
	}
	late.Headers["webhook-timestamp"] = "1614265330"
	foreign.Secret = "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 24))

	said := verify(v1, old, mixed, forged, late, foreign)
	for i, want := range []string{"standardwebhooks ok, svix ok", "standardwebhooks ok, svix ok", "standardwebhooks ok, svix ok, v1a ok"} {
		if said[i] != want {
			t.Errorf("message %d: %s, want %s", i, said[i], want)
		}
	}
	for i, line := range said[3:] {
		if strings.Contains(line, " ok") {
			t.Errorf("what is forged, late or of a foreign key (%d): %s", i, line)
		}
	}
}

func verificationOf(r received, secret, public string) verification {
	headers := map[string]string{}
	for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
		headers[name] = r.header.Get(name)
	}
	return verification{secret, public, headers, r.body}
}

// installVerifiers installs the npm packages into a temporary directory, and
// returns a function that runs them.
func installVerifiers(t *testing.T) func(...verification) []string {
	t.Helper()
	for _, command := range []string{"node", "npm"} {
		if _, err := exec.LookPath(command); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s is missing: make test-tools installs it", command)
			}
			t.Skipf("%s is missing: make test-tools installs it", command)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "verify.js"} {
		content, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir, install.WaitDelay = dir, time.Second
	if output, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, output)
	}
	return func(all ...verification) []string {
		t.Helper()
		var input bytes.Buffer
		for _, v := range all {
			line, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			input.Write(append(line, '\n'))
		}
		node := exec.CommandContext(t.Context(), "node", "verify.js")
		node.Dir, node.Stdin, node.Stderr = dir, &input, os.Stderr
		output, err := node.Output()
		lines := strings.Split(strings.TrimSpace(string(output)), "\n")
		if err != nil || len(lines) != len(all) {
			t.Fatalf("node: %v; it said\n%s", err, output)
		}
		return lines
	}
}
