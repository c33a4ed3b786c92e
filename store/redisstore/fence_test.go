package redisstore_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// gate holds back pipelines: each is told of, then waits until it is open.
type gate struct {
	redis.Hook // only pipelines are used
	arrived    chan int
	leave      chan struct{}
	open       func() // also at the test's end: the store waits for what is on its way
}

func newGate(t *testing.T, s *redisstore.Store) *gate {
	t.Helper()
	g := &gate{arrived: make(chan int, 100), leave: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.leave) })
	t.Cleanup(g.open)
	redisstore.AddHook(s, g)
	return g
}

func (g *gate) DialHook(next redis.DialHook) redis.DialHook          { return next }
func (g *gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (g *gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		g.arrived <- len(cmds)
		<-g.leave
		return next(ctx, cmds)
	}
}

// fenceEach fences sessions, each in a call of its own with a deadline, and
// sends what came of it.
func fenceEach(t *testing.T, s store.Store, timeout time.Duration, ids ...string) <-chan error {
	t.Helper()
	errs := make(chan error, len(ids))
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	t.Cleanup(cancel)
	for _, id := range ids {
		go func() {
			fenced, err := s.Fence(ctx, fences(id))
			if err == nil && (fenced[0].Outcome != store.FenceFenced || fenced[0].Session.ID != id) {
				t.Errorf("got %+v, want session %s fenced", fenced[0], id)
			}
			errs <- err
		}()
	}
	return errs
}

// await waits for the next pipeline.
func (g *gate) await(t *testing.T) {
	t.Helper()
	select {
	case <-g.arrived:
	case <-time.After(time.Minute):
		t.Fatal("no pipeline came")
	}
}

// fill sends fences of the first sessions until as many pipelines as may be are
// on their way.
func (g *gate) fill(t *testing.T, s store.Store, ids []string) (calls []<-chan error) {
	t.Helper()
	for _, id := range ids[:redisstore.Abreast] {
		calls = append(calls, fenceEach(t, s, time.Minute, id))
		g.await(t)
	}
	return calls
}

func wantFenced(t *testing.T, calls []<-chan error) {
	t.Helper()
	for _, errs := range calls {
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	}
}

// Fences that come while as many pipelines as may be are on their way go
// together.
func TestConcurrentFencesShareRoundTrips(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := open(t, server.URL(), redisstore.Config{})
	all := ids(40)
	login(t, s, alice, all...)
	gate := newGate(t, s)

	calls := gate.fill(t, s, all)
	rest := all[redisstore.Abreast:]
	calls = append(calls, fenceEach(t, s, time.Minute, rest...))
	testkit.Eventually(t, "the others wait", func() bool { return redisstore.Waiting(s) == len(rest) })
	gate.open()
	wantFenced(t, calls)
	// One of each that brings the server the script, and one for all that waited.
	if trips := len(gate.arrived); trips > redisstore.Abreast+1 {
		t.Errorf("%d more round trips, want %d at most", trips, redisstore.Abreast+1)
	}
	if n := active(t, s, all...); n != 0 {
		t.Errorf("%d sessions survived", n)
	}
}

// A caller whose deadline passes is told so, while what is on its way with
// others goes on.
func TestFenceKeepsEachDeadline(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := open(t, server.URL(), redisstore.Config{})
	all := ids(redisstore.Abreast + 2)
	login(t, s, alice, all...)
	gate := newGate(t, s)

	patient := gate.fill(t, s, all)
	hasty := fenceEach(t, s, time.Millisecond, all[redisstore.Abreast])
	wantUnavailable(t, "past its deadline", <-hasty)
	patient = append(patient, fenceEach(t, s, time.Minute, all[redisstore.Abreast+1]))
	gate.open()
	wantFenced(t, patient)
}

// A node that hangs holds up the fences of its own sessions only.
func TestHangingNodeHoldsUpItsOwnFences(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t)
	s := open(t, cluster.URL(), redisstore.Config{})
	all := ids(30)
	login(t, s, alice, all...)
	hangs, raw := cluster.Nodes[1], cluster.Client()
	var theirs, others []string
	for _, id := range all {
		master, err := raw.MasterForKey(t.Context(), "logoutd:session:{"+id+"}")
		if err != nil {
			t.Fatal(err)
		}
		if master.Options().Addr == hangs.Addr() {
			theirs = append(theirs, id)
		} else {
			others = append(others, id)
		}
	}
	if len(theirs) == 0 || len(others) == 0 {
		t.Fatalf("%d sessions on the node that hangs, %d on others", len(theirs), len(others))
	}
	hangs.Pause()
	defer hangs.Resume()
	gate := newGate(t, s)
	gate.open()

	held := fenceEach(t, s, 3*time.Second, theirs[0])
	gate.await(t)
	free := fenceEach(t, s, 2*time.Second, others...)
	for range others {
		if err := <-free; err != nil {
			t.Errorf("on a node that works: %v", err)
		}
	}
	wantUnavailable(t, "on a node that hangs", <-held)

	// In one call, too, only those fail that cannot be done.
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	together, err := s.Fence(ctx, fences(append([]string{theirs[0]}, others...)...))
	if err != nil {
		t.Fatal(err)
	}
	wantUnavailable(t, "with others, on a node that hangs", together[0].Err)
	for _, fenced := range together[1:] {
		if fenced.Err != nil || fenced.Outcome != store.FenceEnded {
			t.Errorf("with others, on a node that works: %+v", fenced)
		}
	}
}

// Close waits for the fences on their way, whoever waits for them still.
func TestCloseAwaitsFences(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s, err := redisstore.Open(server.URL(), redisstore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	login(t, s, alice, ids(1)...)
	gate := newGate(t, s)
	fenced := fenceEach(t, s, time.Minute, ids(1)...)
	gate.await(t)

	var closing sync.WaitGroup
	closing.Go(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	gate.open()
	closing.Wait()
	if err := <-fenced; err != nil {
		t.Error(err)
	}
}
