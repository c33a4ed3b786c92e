package redisstore_test

import (
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// A test that sets the clock sees its time in Now and in what is stored.
func TestTestClock(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := open(t, server.URL(), redisstore.Config{TestClock: true})
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := server.Client().Set(t.Context(), redisstore.TestClockKey, at.UnixMilli(), 0).Err(); err != nil {
		t.Fatal(err)
	}
	now, err := s.Now(t.Context())
	if err != nil || !now.Equal(at) {
		t.Fatalf("now is %s (%v), want %s", now, err, at)
	}
	fenced, err := s.Fence(t.Context(), []store.Fence{{RequestID: "r", User: alice}})
	if err != nil || !fenced[0].Cutoff.Equal(at) {
		t.Fatalf("fenced at %+v (%v), want %s", fenced, err, at)
	}
}
