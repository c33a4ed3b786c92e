package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// composeFile is what a test looks at of deployments/compose.yaml.
type composeFile struct {
	Services map[string]struct {
		Build struct {
			Context, Dockerfile string
		}
		Image       string
		Command     []string
		Environment map[string]string
		Volumes     []string
		DependsOn   map[string]any `yaml:"depends_on"`
	}
	Volumes map[string]any
}

func readCompose(t *testing.T) (c composeFile, text string) {
	t.Helper()
	text = deployment(t, "compose.yaml")
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return c, text
}

// TestComposeNamesWhatIsThere covers files, services, settings and roles.
func TestComposeNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	compose, _ := readCompose(t)
	known := settingNames()
	roles := map[string]bool{}
	for name, service := range compose.Services {
		for other := range service.DependsOn {
			if _, ok := compose.Services[other]; !ok {
				t.Errorf("%s depends on %s, which is no service", name, other)
			}
		}
		for _, volume := range service.Volumes {
			place, _, _ := strings.Cut(volume, ":")
			_, named := compose.Volumes[place]
			if _, err := os.Stat(filepath.Join(deployments, place)); err != nil && !named {
				t.Errorf("%s: %s is neither a file nor a volume", name, volume)
			}
		}
		if service.Image != "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(deployments, service.Build.Context, service.Build.Dockerfile)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for variable := range service.Environment {
			if !slices.Contains(known, variable) {
				t.Errorf("%s: %s is no setting", name, variable)
			}
		}
		role := service.Environment["LOGOUTD_ROLES"]
		roles[role] = true
		if !strings.HasPrefix(service.Environment["LOGOUTD_NATS_URL"], "nats://"+role+":${NATS_"+strings.ToUpper(role)+"_PASSWORD:?}@nats:") {
			t.Errorf("%s connects to NATS with %s", name, service.Environment["LOGOUTD_NATS_URL"])
		}
	}
	for _, role := range allRoles {
		if !roles[role] {
			t.Errorf("no service has the role %s", role)
		}
	}
}

var interpolated = regexp.MustCompile(`\$\{?([A-Z_]+)`)

// TestComposeSecretsAreGiven: what compose.yaml and nats.conf take from the
// environment is what the comment at the top says to export.
func TestComposeSecretsAreGiven(t *testing.T) {
	t.Parallel()
	compose, text := readCompose(t)
	head, body, _ := strings.Cut(text, "\nname: ")
	exported := regexp.MustCompile(`[A-Z]+_[A-Z_]+`).FindAllString(head, -1)
	wanted := map[string]bool{}
	for _, match := range interpolated.FindAllStringSubmatch(body, -1) {
		wanted[match[1]] = true
		if !slices.Contains(exported, match[1]) {
			t.Errorf("${%s} is not among what the comment exports", match[1])
		}
	}
	for _, name := range exported {
		if !wanted[name] {
			t.Errorf("%s is exported for nothing", name)
		}
	}
	for _, match := range interpolated.FindAllStringSubmatch(withoutComments(deployment(t, "nats", "nats.conf")), -1) {
		if match[1] != "JS" && match[1] != "KV" && compose.Services["nats"].Environment[match[1]] == "" { // those are subjects
			t.Errorf("nats.conf wants $%s, which the service does not have", match[1])
		}
	}
}

func withoutComments(text string) string { return regexp.MustCompile(`#.*`).ReplaceAllString(text, "") }

// TestDeployedSettingsAreAccepted covers the settings file of compose.yaml.
func TestDeployedSettingsAreAccepted(t *testing.T) {
	t.Parallel()
	f, _, err := readFile(filepath.Join(deployments, "logoutd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if faults := f.validate(); len(faults) > 0 {
		t.Error(faults)
	}
}

// TestDockerfileNamesWhatIsThere covers what it builds, copies and runs.
func TestDockerfileNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	text := deployment(t, "Dockerfile")
	for _, want := range []string{
		`(?m)^COPY go\.mod go\.sum \./$`,
		`CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X github\.com/logoutd/logoutd/internal/version\.release=\$\{VERSION\}" -o /out/logoutd \./cmd/logoutd\b`,
		`(?m)^COPY --from=build /out/logoutd /usr/local/bin/logoutd$`,
		`(?m)^ENTRYPOINT \["/usr/local/bin/logoutd"\]$`, `(?m)^CMD \["serve"\]$`,
		`CMD \["/usr/local/bin/logoutd", "health", "--role", "front"\]`, `(?m)^FROM .*:nonroot$`, `(?m)^ENV LOGOUTD_DATA_DIR=`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("the Dockerfile lacks %s", want)
		}
	}
	module, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(module)[1]
	if !bytes.Contains([]byte(text), append([]byte("FROM golang:"), version...)) {
		t.Errorf("the Dockerfile does not build with Go %s", version)
	}
}

// settingNames are the environment variables that serve knows.
func settingNames() []string {
	names := []string{adminTokenSetting, secretSetting} // have no flags
	for _, name := range fileSettings {
		names = append(names, name+fileSuffix)
	}
	parser := kong.Must(&cli{}, variables())
	for _, node := range parser.Model.Children {
		if node.Name == "serve" {
			for _, flag := range node.Flags {
				names = append(names, flag.Envs...)
			}
		}
	}
	return names
}
