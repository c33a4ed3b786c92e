package main

import (
	"fmt"
	"testing"
)

// TestCrashesLoseNothing kills the process again and again while clients log
// out: whatever was accepted is complete in the end.
func TestCrashesLoseNothing(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	s := newSetup(t, provider.settings(""))
	i := s.start(t)
	clients := startLoad(t, i, 32, func(at *instance, client, n int) (login, bool) {
		name := fmt.Sprintf("crash-%d-%d", client, n)
		who := newLogin("user-of-"+name, name)
		return who, at.register(who) == nil
	})
	for range 5 {
		clients.awaitLogouts(150)
		i.kill()
		i = s.start(t)
		clients.at.Store(i)
	}
	clients.awaitLogouts(50)
	clients.end()
	t.Logf("%d logouts, and otherwise %v", len(clients.logouts()), clients.answers)
	clients.expectComplete(i, provider)
}

// TestWorkersCrash has two workers on a shared NATS and Redis, of which one
// after the other is killed while clients log out at a front end.
func TestWorkersCrash(t *testing.T) {
	t.Parallel()
	provider, shared := newProvider(t), newBackends(t)
	front := shared.setup(t, "front,admin", "").start(t)
	workers := []*instance{}
	for range 2 {
		workers = append(workers, shared.setup(t, "worker", provider.settings("")).start(t))
	}
	clients := startLoad(t, front, 16, func(at *instance, client, n int) (login, bool) {
		name := fmt.Sprintf("worker-%d-%d", client, n)
		who := newLogin("user-of-"+name, name)
		return who, at.register(who) == nil
	})
	for n := range 4 {
		clients.awaitLogouts(60)
		workers[n%2].kill()
		workers[n%2] = workers[n%2].setup.start(t)
	}
	clients.end()
	clients.expectNoRefusals("while workers crash")
	clients.expectComplete(front, provider)
}
