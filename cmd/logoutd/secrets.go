package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Files in the data directory.
const (
	adminTokenFile = "admin.token"
	secretFile     = "secret"
	storeFile      = "store.db"
	indexFile      = "dead-letters.db"
	streamsFile    = "streams.json" // the last known state of the streams: see package damage
	brokerDir      = "broker"
	lockFile       = "lock"
)

// makeDataDir creates the data directory, readable by its owner only.
func makeDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("creating the data directory (LOGOUTD_DATA_DIR): %w", err)
	}
	return nil
}

// secretIn returns the secret in a file of the data directory. If the file does
// not exist, it creates one with a new secret, readable by its owner only.
func secretIn(dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return newSecret(path)
	}
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	secret := strings.TrimSpace(string(text))
	if what := weakness(secret); what != "" {
		return "", fmt.Errorf("%s: the secret %s: remove the file to have a new secret generated", path, what)
	}
	return secret, nil
}

// newSecret writes 32 random bytes as text. The rename makes the write atomic.
func newSecret(path string) (string, error) {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails (crypto/rand, Go 1.24)
	secret := base64.RawURLEncoding.EncodeToString(random)
	temporary := path + ".new"
	if err := os.WriteFile(temporary, []byte(secret+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("writing a new secret: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return "", fmt.Errorf("writing a new secret: %w", err)
	}
	return secret, nil
}
