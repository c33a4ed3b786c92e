package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestTokensHaveOneLength(t *testing.T) {
	t.Parallel()
	s := tokenSeries("x-")
	for n, want := range map[int]string{0: "x-0000000000", 42: "x-0000000042", 9_876_543_210: "x-9876543210"} {
		if got := s.token(n); got != want {
			t.Errorf("token %d is %s", n, got)
		}
	}
}

func TestEachUserLogsOutOnce(t *testing.T) {
	t.Parallel()
	c := crowdOf(2)
	c.Sessions = 3
	var got []int
	for session, ok := c.next(); ok; session, ok = c.next() {
		got = append(got, session)
	}
	if len(got) != 2 || got[0] != 0 || got[1] != 3 || c.left() != 0 {
		t.Errorf("sessions %v, %d left", got, c.left())
	}
	c.registered.Store(3)
	if session, ok := c.next(); !ok || session != 6 {
		t.Errorf("a user who is registered later logs out with session %d, %v; want 6", session, ok)
	}
}

func TestLinesRegisterWhatAUserHas(t *testing.T) {
	t.Parallel()
	c := newCrowd()
	c.Sessions, c.RefreshTokens, c.PushRegistrations = 2, 3, 1
	got := map[string]int{}
	bound := map[string]int{}
	for line := range strings.Lines(string(c.lines(1, 3))) {
		var l struct {
			Type      string `json:"type"`
			UserID    string `json:"user_id"`
			SessionID string `json:"session_id"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		got[l.Type+" of "+strings.TrimPrefix(l.UserID, c.users)]++
		bound[l.SessionID]++
	}
	for what, want := range map[string]int{
		"session of 1": 2, "session of 2": 2, "refresh_token of 1": 3, "refresh_token of 2": 3,
		"push_registration of 1": 1, "push_registration of 2": 1, "session of 0": 0, "session of 3": 0,
	} {
		if got[what] != want {
			t.Errorf("%d × %s, want %d", got[what], what, want)
		}
	}
	for session, want := range map[int]int{2: 2, 3: 1, 4: 2, 5: 1} {
		if n := bound[c.sessionID(session)]; n != want {
			t.Errorf("%d refresh tokens are bound to session %d, want %d", n, session, want)
		}
	}
}
