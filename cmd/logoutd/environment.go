package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unicode"

	"github.com/logoutd/logoutd/internal/text"
)

// The secrets of logoutd's own. They have no flags: the command line of a
// process is shown to every user of its machine.
const (
	adminTokenSetting = "LOGOUTD_ADMIN_TOKEN"
	secretSetting     = "LOGOUTD_SECRET"
)

// fileSuffix makes of a setting's name that of the setting that names a file
// with its value, as Docker and Kubernetes mount secrets.
const fileSuffix = "_FILE"

// fileSettings are the settings that can come from a file: those that hold
// secrets.
var fileSettings = []string{adminTokenSetting, secretSetting, "LOGOUTD_NATS_URL", "LOGOUTD_REDIS_URL"}

// prepareEnvironment trims the settings in the environment, drops those that
// are empty, and reads those that come from files. Whoever leaves a line of a
// compose file empty means that it is not set; but a secret of logoutd's own
// stays, to be refused, because somebody meant to set it.
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

// readFileSetting sets a setting to what is in the file that another one names.
func readFileSetting(name string) error {
	path, ok := os.LookupEnv(name + fileSuffix)
	if !ok {
		return nil
	}
	if os.Getenv(name) != "" {
		return fmt.Errorf("%s and %s are both set: set one of them", name, name+fileSuffix)
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

// weakness says what is wrong with a token or key of logoutd's own; empty:
// nothing.
func weakness(secret string) string {
	switch {
	case secret == "":
		return "is empty"
	case blankInside(secret):
		return "has blanks or control characters inside"
	case len(secret) < minSecret:
		return fmt.Sprintf("has %d bytes, and needs at least %d", len(secret), minSecret)
	}
	return ""
}

func blankInside(secret string) bool {
	return strings.ContainsFunc(secret, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}
