package handlers_test

import (
	"testing"

	"github.com/logoutd/logoutd/handlers"
)

// The token was computed by openssl dgst -sha256 -hmac <secret>.
func TestCSRFToken(t *testing.T) {
	t.Parallel()
	if got, want := handlers.CSRFToken(secret, "abc"), "pgyFmmgnxepXakjY02hnL7_kZnxqknQoKEoMs4WcwdY"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
