package admin_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/logoutd/logoutd/handlers/admin"
)

// A process has one CPU profile: everything about it is in one test.
func TestProfile(t *testing.T) {
	lifetime, end := context.WithCancel(t.Context())
	w := newWorld(t, func(c *admin.Config) { c.Lifetime = lifetime })
	for _, seconds := range []string{"0", "61", "soon"} {
		w.refused(w.call("GET", "/v1/profile?seconds="+seconds, ""), http.StatusBadRequest, "seconds", "between 1 and 60")
	}

	response, err := w.server.Client().Do(w.request("GET", "/v1/profile?seconds=60", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	w.refused(w.call("GET", "/v1/profile?seconds=1", ""), http.StatusConflict, "", "another profile is running")

	end() // a shutdown does not wait for it
	profile, err := io.ReadAll(response.Body)
	if gzipped := []byte{0x1f, 0x8b}; err != nil || response.StatusCode != http.StatusOK || !bytes.HasPrefix(profile, gzipped) {
		t.Errorf("%d, %d bytes, %v: not a profile", response.StatusCode, len(profile), err)
	}
}
