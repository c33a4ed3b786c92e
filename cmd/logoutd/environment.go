package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"

	"github.com/logoutd/logoutd/internal/text"
)

// logoutd's own secrets. They have no flags: every user of a machine can see the
// command line of a process.
const (
	adminTokenSetting = "LOGOUTD_ADMIN_TOKEN"
	secretSetting     = "LOGOUTD_SECRET"
)

// fileSuffix turns the name of a setting into the name of the variable that
// holds the path of a file with its value. Docker and Kubernetes mount secrets
// as files.
const fileSuffix = "_FILE"

// fileSettings are the settings that can be read from a file: they hold secrets.
var fileSettings = []string{adminTokenSetting, secretSetting, "LOGOUTD_NATS_URL", "LOGOUTD_REDIS_URL"}

// prepareEnvironment trims the settings in the environment, unsets empty ones,
// and reads settings from files. An empty line of a compose file means "not
// set". An empty secret of logoutd's own stays and is refused later, because
// somebody meant to set it.
func prepareEnvironment() error {
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, "LOGOUTD_") {
			continue
		}
		if value = strings.TrimSpace(value); value == "" && name != adminTokenSetting && name != secretSetting {
			_ = os.Unsetenv(name)
		} else {
			_ = os.Setenv(name, value)
		}
	}
	var faults []error
	for _, name := range fileSettings {
		faults = append(faults, readFileSetting(name))
	}
	return errors.Join(faults...)
}

// readFileSetting sets the variable name to the content of the file that
// name_FILE names.
func readFileSetting(name string) error {
	path, ok := os.LookupEnv(name + fileSuffix)
	if !ok {
		return nil
	}
	if os.Getenv(name) != "" {
		return fmt.Errorf("%s and %s are both set: set only one", name, name+fileSuffix)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s: %w", name+fileSuffix, err)
	}
	value, err := text.Decode(file)
	if err != nil {
		return fmt.Errorf("%s: %s is %w", name+fileSuffix, path, err)
	}
	return os.Setenv(name, strings.TrimSpace(value))
}

// sourceOf names where a setting comes from.
func sourceOf(name string) string {
	if _, ok := os.LookupEnv(name + fileSuffix); ok {
		return name + fileSuffix
	}
	return name
}

// weakness says why a secret is too weak for logoutd's own tokens and keys;
// empty: it is strong enough.
func weakness(secret string) string {
	switch {
	case secret == "":
		return "is empty"
	case blankInside(secret):
		return "contains blanks or control characters"
	case len(secret) < minSecret:
		return fmt.Sprintf("has %d bytes but needs at least %d", len(secret), minSecret)
	}
	return ""
}

func blankInside(secret string) bool {
	return strings.ContainsFunc(secret, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}
