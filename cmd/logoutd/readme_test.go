package main

import (
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write into the README what serve --help says")

const readme = "../../README.md"

// The block of the README that is what serve --help says, in a code fence.
const (
	helpBegins = "<!-- serve --help -->\n"
	helpEnds   = "<!-- /serve --help -->\n"
)

// TestReadmeHasHelp keeps the list of settings in the README the program's own.
func TestReadmeHasHelp(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), helpBegins)
	block, after, ends := strings.Cut(rest, helpEnds)
	if !found || !ends {
		t.Fatalf("the README lacks %s or %s", helpBegins, helpEnds)
	}
	want := "\n```text\n" + serveHelp(t) + "```\n\n"
	if block == want {
		return
	}
	if !*update {
		t.Fatalf("the README's help is not that of serve --help; go test ./cmd/logoutd -run Readme -update writes it anew:\n%s", want)
	}
	if err := os.WriteFile(readme, []byte(before+helpBegins+want+helpEnds+after), 0o600); err != nil {
		t.Fatal(err)
	}
}

func serveHelp(t *testing.T) string {
	t.Helper()
	p := launch(t, t.TempDir(), nil, build(t, logoutdProgram), "serve", "--help")
	if code, _ := p.exit(patience); code != exitOK {
		t.Fatalf("serve --help: exit code %d", code)
	}
	return strings.Trim(p.stdout.String(), "\n") + "\n"
}

var settingName = regexp.MustCompile(`LOGOUTD_[A-Z_]+[A-Z]`)

// TestReadmeNamesSettings: every setting of the README and of what is deployed
// exists.
func TestReadmeNamesSettings(t *testing.T) {
	t.Parallel()
	known := append(settingNames(), "LOGOUTD_ADMIN_URL", "LOGOUTD_ADMIN_CA", "LOGOUTD_ADMIN_CERT", "LOGOUTD_ADMIN_KEY", "LOGOUTD_ADMIN_SERVER_NAME") // of the commands
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	named := settingName.FindAllString(string(text)+deployment(t, "compose.yaml")+deployment(t, "Dockerfile"), -1)
	for _, name := range named {
		if !slices.Contains(known, name) {
			t.Errorf("there is no setting %s", name)
		}
	}
	for _, name := range known {
		if !slices.Contains(named, name) {
			t.Errorf("the README does not name %s", name)
		}
	}
}

// TestSettingsAreDocumented: the settings that operators were promised are
// there, under flag, environment variable and key of the same name; a secret
// has no flag.
func TestSettingsAreDocumented(t *testing.T) {
	t.Parallel()
	want := []string{
		"LOGOUTD_ADMIN_LISTEN", "LOGOUTD_ADMIN_TLS_CERT", "LOGOUTD_ADMIN_TLS_CLIENT_CA", "LOGOUTD_ADMIN_TLS_KEY", "LOGOUTD_ADMIN_TOKEN", "LOGOUTD_ADMIN_TOKEN_FILE", "LOGOUTD_CONFIG", "LOGOUTD_DATA_DIR", "LOGOUTD_LISTEN",
		"LOGOUTD_LOG_FORMAT", "LOGOUTD_LOG_LEVEL", "LOGOUTD_NATS_LISTEN", "LOGOUTD_NATS_URL",
		"LOGOUTD_NATS_URL_FILE", "LOGOUTD_REDIS_URL", "LOGOUTD_REDIS_URL_FILE", "LOGOUTD_ROLES", "LOGOUTD_SECRET", "LOGOUTD_SECRET_FILE", "LOGOUTD_TLS_CERT", "LOGOUTD_TLS_KEY", "LOGOUTD_TRUSTED_PROXIES",
	}
	got := settingNames()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("settings %v, want %v", got, want)
	}
	help := serveHelp(t)
	for _, name := range want {
		flag := "--" + strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, "LOGOUTD_"), "_", "-")) + "="
		secret := name == adminTokenSetting || name == secretSetting || strings.HasSuffix(name, fileSuffix)
		if strings.Contains(help, flag) == secret || !strings.Contains(help, "$"+name) {
			t.Errorf("serve --help: flag %s of a secret, or none of something else, or no $%s", flag, name)
		}
	}
}
