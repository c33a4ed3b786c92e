package events_test

import (
	"strings"
	"testing"

	"github.com/logoutd/logoutd/events"
)

func TestMalformedURLIsRefusedWithoutShowingIt(t *testing.T) {
	t.Parallel()
	conn, err := events.Connect(events.ConnectConfig{URL: "nats://user:hunter2@host:port", Name: "test"})
	if err == nil {
		conn.Close()
		t.Fatal("accepted")
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error shows the password: %v", err)
	}
}
