package main

import (
	"testing"

	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// The baseline has to do the work that it is measured by.
func TestInlineDeletes(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client()
	h := inlineHandler{client}
	c := newUsers()
	c.Sessions, c.RefreshTokens = 2, 2
	ctx := t.Context()
	if err := c.registerInline(ctx, client, 2); err != nil {
		t.Fatal(err)
	}
	exist := func(keys ...string) int64 { return client.Exists(ctx, keys...).Val() }

	first, second := c.sessions.token(0), c.sessions.token(1)
	if err := h.endSession(ctx, first); err != nil {
		t.Fatal(err)
	}
	if exist(inlineSession(first), inlineRefresh(c.refresh.token(0))) != 0 {
		t.Error("the session or its refresh token is still there")
	}
	if exist(inlineSession(second), inlineRefresh(c.refresh.token(1))) != 2 {
		t.Error("another session or its refresh token is gone")
	}

	other := c.sessions.token(2)
	if err := h.endUser(ctx, other); err != nil {
		t.Fatal(err)
	}
	if exist(inlineSession(other), inlineSession(c.sessions.token(3)), inlineRefresh(c.refresh.token(2)), inlineRefresh(c.refresh.token(3))) != 0 {
		t.Error("something of the user is still there")
	}
	if exist(inlineSession(second)) != 1 {
		t.Error("another user's session is gone")
	}
	if err := h.endUser(ctx, "unknown"); err != nil {
		t.Errorf("an unknown session: %v", err)
	}
}
