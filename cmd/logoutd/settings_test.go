package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// refusals are settings that cannot work, and what is said of them.
var refusals = map[string]struct {
	yaml  string
	flags []string
	env   []string
	want  []string
}{
	"split roles without what they share": {
		flags: []string{"--roles", "front,admin"}, want: []string{"LOGOUTD_NATS_URL", "LOGOUTD_REDIS_URL", "LOGOUTD_SECRET"},
	},
	"split roles without a Redis": {
		env:   []string{"LOGOUTD_NATS_URL=nats://127.0.0.1:1", "LOGOUTD_SECRET=" + someSecret},
		flags: []string{"--roles", "worker"}, want: []string{"set LOGOUTD_REDIS_URL"},
	},
	"all faults at once": {
		yaml: `
retry: {initial: -1s, max: -2s, give_up_after: -3s}
sessions: {unknown: maybe, retention: -4s}
elvis: {redirect_origins: ["ftp://example.com"]}
targets:
  - {name: a.b, kind: http, url: "http://example.com/{token}"}
  - {name: p, kind: smtp}
  - {name: q, kind: http, url: nowhere, timeout: -5s}
  - {name: r, kind: http, url: "http://example.com"}
  - {name: r, kind: webhook, url: "http://example.com", secrets: [whsec_cmF3LXNlY3JldC1yYXctc2VjcmV0LXJhdw==]}
  - {name: s, kind: webhook, url: "http://example.com", secrets: [raw-secret, whsec_cmF3], events: [all]}
push:
  - {provider: fcm, kind: http, url: "https://raw-secret@example.com", headers: {Authorization: raw-secret}, timeout: 3s}
`,
		flags: []string{"--roles", "front,boss", "--trusted-proxies", "10.0.0.1,10.0.0.0/33"}, env: []string{"LOGOUTD_SECRET=raw-short"},
		want: []string{
			`trusted_proxies: "10.0.0.0/33"`,
			`unknown role "boss"`, "LOGOUTD_NATS_URL", "LOGOUTD_REDIS_URL", "LOGOUTD_SECRET: has 9 bytes but needs at least 32", "retry.initial", "retry.max",
			"retry.give_up_after", "sessions.retention", `"maybe" is invalid`, `"ftp://example.com" is not an origin`, `targets[0]: name: "a.b"`,
			"targets[0]: url: unknown placeholder {token}", `targets[1]: kind: unknown kind "smtp"`, "targets[2]: url", "targets[2]: timeout", `targets[4]: name: "r" is used twice`,
			"targets[5]: secrets[0]: must begin with whsec_", "targets[5]: secrets[1]: must be 24 to 64 bytes", `targets[5]: events: "all"`,
			"push: this setting is now called targets", "- name: fcm", "kind: http", "timeout: 3s",
		},
	},
	"TLS files that cannot be used": {
		yaml:  "tls_cert: nowhere.pem\ntls_key: nowhere.key\n",
		flags: []string{"--admin-tls-client-ca", "logoutd.yaml"},
		want:  []string{"tls_cert, tls_key: ", "nowhere.pem: no such file", "admin_tls_client_ca: a certificate and its key are needed"},
	},
	"values that nobody means": {
		yaml: `
retry: {initial: 1s, max: 1ms}
sap: {cookies: ["*"], origins: ["*"]}
elvis: {landing_page: "//evil.example"}
`,
		want: []string{"retry.initial", "sap.cookies", "sap.origins", "elvis.landing_page"},
	},
	"unknown key":            {yaml: "listen: 127.0.0.1:0\nretri: {max: 1s}\n", want: []string{`"retri"`}},
	"unknown key in a list":  {yaml: "targets:\n  - {name: p, kind: http, uri: x}\n", want: []string{`"uri"`}},
	"unset variables":        {yaml: "secret: ${NO_SUCH_A}\nsap: {origins: [\"${NO_SUCH_B}\"]}\n", want: []string{"NO_SUCH_A", "NO_SUCH_B"}},
	"not YAML":               {yaml: "secret: \"raw-secret\nlisten: x\n", want: []string{"logoutd.yaml"}},
	"a secret that is none":  {yaml: "secret: [raw-secret]\n", want: []string{"Secret"}},
	"a secret in a map":      {yaml: "admin_token: {raw-secret: x}\n", want: []string{"AdminToken"}},
	"a secret twice":         {yaml: "secret: raw-secret\nsecret: raw-secret\n", want: []string{`"secret" already defined`}},
	"a number as a duration": {yaml: "retry: {max: 10}\n", want: []string{"[1:14]", "Duration"}},
	"unknown flag":           {flags: []string{"--no-such"}, want: []string{"--no-such"}},
	"unknown log level":      {flags: []string{"--log-level", "noisy"}, want: []string{`"noisy"`}},
	"no such file":           {flags: []string{"--config", "no-such.yaml"}, want: []string{"no-such.yaml"}},
}

// TestRefusedAtStart has settings that cannot work: they are named, with exit
// code 2, and nothing is made.
func TestRefusedAtStart(t *testing.T) {
	t.Parallel()
	for name, tt := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t, tt.yaml, tt.flags...)
			s.env = tt.env
			expectRefusal(t, s, exitUsage, tt.want...)
			if _, err := os.Stat(s.data()); err == nil {
				t.Error("the data directory was made")
			}
		})
	}
}

// expectRefusal starts an instance that does not start, says why, and shows
// no secret.
func expectRefusal(t *testing.T, s setup, wantCode int, want ...string) {
	t.Helper()
	i := s.launch(t)
	code, _ := i.exit(patience)
	said := i.stderr.String()
	if code != wantCode || i.stdout.String() != "" {
		t.Errorf("exit code %d, want %d; stdout %q", code, wantCode, i.stdout.String())
	}
	for _, text := range want {
		if !strings.Contains(said, text) {
			t.Errorf("%q lacks %q", said, text)
		}
	}
	if strings.Contains(said, "raw-") {
		t.Errorf("%q shows a secret", said)
	}
}

// TestRefusedWhileOpening has settings that make sense until they are used.
func TestRefusedWhileOpening(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = busy.Close() })
	address := busy.Addr().String()
	for name, tt := range map[string]struct{ flags, want []string }{
		"public port in use":   {[]string{"--listen", address}, []string{"public listener", address, "in use", "LOGOUTD_LISTEN"}},
		"admin port in use":    {[]string{"--admin-listen", address}, []string{"admin listener", address, "in use", "LOGOUTD_ADMIN_LISTEN"}},
		"broker port in use":   {[]string{"--nats-listen", address}, []string{"broker", address, "in use"}},
		"no address":           {[]string{"--listen", "nowhere"}, []string{"public listener", "nowhere", "LOGOUTD_LISTEN"}},
		"no Redis URL":         {[]string{"--redis-url", "redis://host:port/x"}, []string{"Redis URL"}},
		"unknown kind of URL":  {[]string{"--redis-url", "http://host"}, []string{"Redis URL", `"http"`}},
		"no NATS URL":          {[]string{"--nats-url", "nats://:no:port"}, []string{"broker"}},
		"data dir is no dir":   {[]string{"--data-dir", "logoutd.yaml"}, []string{"LOGOUTD_DATA_DIR"}},
		"data dir is too deep": {[]string{"--data-dir", "logoutd.yaml/deeper"}, []string{"LOGOUTD_DATA_DIR"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			expectRefusal(t, newSetup(t, "listen: 127.0.0.1:0\n", tt.flags...), exitFailed, tt.want...)
		})
	}
}

// TestShortSecretFileIsRefused: a file that was cut off is no secret.
func TestShortSecretFileIsRefused(t *testing.T) {
	t.Parallel()
	s := newSetup(t, "")
	if err := os.MkdirAll(s.data(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.data(secretFile), []byte("raw-short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expectRefusal(t, s, exitFailed, filepath.Join("logoutd-data", secretFile), "has 9 bytes but needs at least 32")
}

// weakSecrets are tokens and keys that anybody could guess, or that nobody can
// send, and what is said of each.
var weakSecrets = map[string]string{
	"raw-short": "has 9 bytes but needs at least 32", "": "is empty", " \n": "is empty",
	"raw-0123456789 0123456789-0123456789": "contains blanks or control", "raw-0123456789-0123456789\n0123456789": "contains blanks or control",
}

// TestWeakSecretsAreRefusedByName wherever they come from.
func TestWeakSecretsAreRefusedByName(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{adminTokenSetting, secretSetting} {
		key := strings.ToLower(strings.TrimPrefix(setting, "LOGOUTD_"))
		for secret, what := range weakSecrets {
			t.Run(fmt.Sprintf("%s %q", key, secret), func(t *testing.T) {
				t.Parallel()
				environment := newSetup(t, "")
				environment.env = []string{setting + "=" + secret}
				expectRefusal(t, environment, exitUsage, setting+": "+what, "openssl rand -hex 32")
				file := newSetup(t, "")
				path := filepath.Join(file.dir, "secret")
				if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
					t.Fatal(err)
				}
				file.env = []string{setting + "_FILE=" + path}
				expectRefusal(t, file, exitUsage, setting+"_FILE: "+what)
				yaml := newSetup(t, fmt.Sprintf("%s: %q\n", key, secret))
				expectRefusal(t, yaml, exitUsage, key+": "+what)
			})
		}
	}
}

// TestSecretsShowInNoListOfProcesses: they have no flags, and a URL that holds
// one is refused there.
func TestSecretsShowInNoListOfProcesses(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"--admin-token=raw-" + someSecret:                          "--admin-token",
		"--secret=raw-" + someSecret:                               "--secret",
		"--nats-url=nats://front:raw-password@127.0.0.1:4222":      "LOGOUTD_NATS_URL_FILE",
		"--nats-url=nats://raw-token@127.0.0.1:4222":               "LOGOUTD_NATS_URL_FILE",
		"--redis-url=redis://:raw-password@127.0.0.1:6379":         "LOGOUTD_REDIS_URL_FILE",
		"--redis-url=redis+sentinel://a:1?sentinel_password=raw-p": "LOGOUTD_REDIS_URL_FILE",
	} {
		expectRefusal(t, newSetup(t, "", name), exitUsage, want)
	}
}

// TestSecretsAreTrimmed as editors, shells and mounted files leave them, on
// both ends.
func TestSecretsAreTrimmed(t *testing.T) {
	t.Parallel()
	token := "raw-" + someSecret
	utf16 := []byte{0xff, 0xfe}
	for _, c := range token + "\r\n" {
		utf16 = append(utf16, byte(c), 0)
	}
	for name, given := range map[string]string{
		"a line feed": token + "\n", "blanks": "  " + token + "\t\r\n", "a byte order mark": "\ufeff" + token + "\n", "UTF-16": string(utf16),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t, "")
			path := filepath.Join(s.dir, "token")
			if err := os.WriteFile(path, []byte(given), 0o600); err != nil {
				t.Fatal(err)
			}
			s.env = []string{"LOGOUTD_ADMIN_TOKEN_FILE=" + path}
			if name == "a line feed" {
				s.env = []string{"LOGOUTD_ADMIN_TOKEN=" + given, "LOGOUTD_SECRET=" + someSecret + "\n"}
			}
			i := s.start(t)
			if a := get(i.admin+"/v1/failed", token); a.status != http.StatusOK {
				t.Errorf("with the token: %d", a.status)
			}
			i.mustCLI("failed", "list") // with the same environment
		})
	}
}

// TestFileSettingsAreRefusedByName where both are set, or the file is not there.
func TestFileSettingsAreRefusedByName(t *testing.T) {
	t.Parallel()
	for _, setting := range fileSettings {
		both := newSetup(t, "")
		both.env = []string{setting + "=" + someSecret, setting + "_FILE=" + readme}
		expectRefusal(t, both, exitUsage, setting+" and "+setting+"_FILE are both set")
		missing := newSetup(t, "")
		missing.env = []string{setting + "_FILE=no-such-file"}
		expectRefusal(t, missing, exitUsage, setting+"_FILE: ", "no-such-file")
	}
}

// TestPrecedence: the environment, else the file, else the default. It shows in
// which admin token counts.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	const yaml = "admin_token: ${FROM_FILE}\nroles: [front, worker, admin]\nlog_level: debug\n"
	const file, environment = "raw-file-" + someSecret, "raw-environment-" + someSecret
	for name, tt := range map[string]struct {
		yaml string
		env  []string
		want string // the token; empty: the generated one
	}{
		"default":                             {},
		"empty in the environment is not set": {env: []string{"LOGOUTD_LOG_LEVEL= ", "LOGOUTD_CONFIG=", "LOGOUTD_ADMIN_TOKEN_FILE="}},
		"file":                                {yaml: yaml, want: file},
		"environment over file": {
			yaml: yaml, env: []string{"LOGOUTD_ADMIN_TOKEN=" + environment}, want: environment,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup(t, tt.yaml)
			s.env = append(tt.env, "FROM_FILE="+file+"\n")
			i := s.start(t)
			if (i.token == "") != (tt.want != "") {
				t.Error("a token is generated only where none is set")
			}
			for _, token := range []string{file, environment, i.token} {
				status := get(i.admin+"/v1/failed", token).status
				if accepted := status == http.StatusOK; token != "" && accepted != (token == tt.want || token == i.token) {
					t.Errorf("with %.5s…: %d", token, status)
				}
			}
			if i.stdout.contains("raw-") {
				t.Errorf("the token is printed: %s", i.stdout.String())
			}
		})
	}
}
