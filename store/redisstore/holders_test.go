package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// loginMany gives each of so many users a session.
func loginMany(t *testing.T, s store.Store, n int) {
	t.Helper()
	batch := make([]store.Session, n)
	for i := range batch {
		u := store.User{ID: fmt.Sprint("user", i)}
		batch[i] = store.Session{ID: store.TokenID(u.ID), User: u, ExpiresAt: time.Now().Add(time.Hour)}
	}
	must(t)(s.PutSessions(t.Context(), batch))
}

// walk reads up to so many pages from a place on, and notes whom it meets.
func walk(t *testing.T, s store.Store, after string, pages int, met map[store.User]bool) (next string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for range pages {
		page, err := s.Holders(ctx, after, 20)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range page.Holders {
			met[h.User] = true
		}
		if after = page.Next; after == "" {
			break
		}
	}
	return after
}

// A cursor of SCAN means nothing to another process. Whoever has begun is taken
// through everything once more.
func TestHoldersStartAgainAfterRestart(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := open(t, server.URL(), redisstore.Config{})
	const users = 300
	loginMany(t, s, users)
	before, after := map[store.User]bool{}, map[store.User]bool{}
	next := walk(t, s, "", 20, before)
	if len(before) == 0 || next == "" {
		t.Fatalf("the test needs a walk that is half done, and met %d users", len(before))
	}
	server.Stop()
	server.Restart()
	if walk(t, s, next, 1000, after); len(after) != users {
		t.Errorf("after a restart it met %d of %d users", len(after), users)
	}
}

// Nobody can tell where the keys of a slot lie while it is moved.
func TestHoldersWhileResharding(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	s := open(t, cluster.URL(), redisstore.Config{})
	const users = 100
	loginMany(t, s, users)
	from, to := cluster.Nodes[0].Client(), cluster.Nodes[1].Client()
	slot := func(args ...any) {
		t.Helper()
		if err := from.Do(t.Context(), append([]any{"cluster", "setslot", 7}, args...)...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	met := map[store.User]bool{}
	next := walk(t, s, "", 3, met)
	slot("migrating", to.Do(t.Context(), "cluster", "myid").Val())
	_, err := s.Holders(t.Context(), next, 20)
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "resharded") {
		t.Errorf("while a slot is moved: %v", err)
	}
	slot("stable")
	if walk(t, s, next, 1000, met); len(met) != users {
		t.Errorf("met %d of %d users", len(met), users)
	}
}

// A slot that has moved takes keys from a node that is still to be read to one
// that was read before.
func TestHoldersStartAgainAfterResharding(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	s := open(t, cluster.URL(), redisstore.Config{})
	const users = 100
	loginMany(t, s, users)
	empty := moveEmptySlot(t, s, cluster)
	met := map[store.User]bool{}
	next := walk(t, s, "", 5, map[store.User]bool{})
	empty()
	if walk(t, s, next, 1000, met); len(met) != users {
		t.Errorf("after a slot had moved it met %d of %d users", len(met), users)
	}
}

// moveEmptySlot returns what hands a slot without keys over to another node.
func moveEmptySlot(t *testing.T, s store.Store, cluster *redistest.Cluster) func() {
	t.Helper()
	ctx := t.Context()
	from, to := cluster.Nodes[0].Client(), cluster.Nodes[1].Client()
	slot := 0
	for from.Do(ctx, "cluster", "countkeysinslot", slot).Val() != int64(0) {
		slot++
	}
	id := to.Do(ctx, "cluster", "myid").Val()
	return func() {
		t.Helper()
		for _, node := range []*redistest.Server{cluster.Nodes[1], cluster.Nodes[0]} {
			if err := node.Client().Do(ctx, "cluster", "setslot", slot, "node", id).Err(); err != nil {
				t.Fatal(err)
			}
		}
		deadline := time.Now().Add(10 * time.Second)
		for {
			_, err := s.Holders(ctx, "", 1)
			if err == nil {
				return
			}
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
	}
}
