package workers_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
	"github.com/logoutd/logoutd/store/sqlitestore"
	"github.com/logoutd/logoutd/workers"
	"github.com/logoutd/logoutd/workers/delivery"
)

var (
	modelSeeds = flag.Int("model.seeds", 50, "how many schedules TestNewerLoginsLive draws for each store")
	modelFirst = flag.Int("model.first", 1, "the seed of the first of them")
)

// A newer login never dies, whatever was skipped, repeated, reordered, merged
// or late; and whoever was answered 204 is logged out. Each seed draws a
// schedule of logins, logouts, faults and clock steps for one user, on real
// front ends, revokers, stores and a real broker, whose clocks the schedule
// sets. `go test -run TestNewerLoginsLive -model.first SEED -model.seeds 1`
// repeats one.
func TestNewerLoginsLive(t *testing.T) {
	t.Parallel()
	stores := map[string]func(*testing.T, *modelClock) store.Store{
		"SQLite": func(t *testing.T, clock *modelClock) store.Store {
			s, err := sqlitestore.Open(filepath.Join(t.TempDir(), "store.db"), sqlitestore.Config{Clock: clock.Store})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		"Redis": func(t *testing.T, clock *modelClock) store.Store {
			server := redistest.Start(t)
			s, err := redisstore.Open(server.URL(), redisstore.Config{TestClock: true})
			if err != nil {
				t.Fatal(err)
			}
			raw := server.Client()
			clock.tell = func(at time.Time) {
				if err := raw.Set(context.Background(), redisstore.TestClockKey, at.UnixMilli(), 0).Err(); err != nil {
					t.Errorf("setting the clock of Redis: %v", err)
				}
			}
			return s
		},
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newModel(t, open)
			for seed := *modelFirst; seed < *modelFirst+*modelSeeds; seed++ {
				m.run(uint64(seed))
			}
		})
	}
}

// model is the system under test and what the schedule controls of it.
type model struct {
	t       *testing.T
	clock   *modelClock
	store   store.Store
	broker  *modelBroker
	metrics *workers.Metrics
	log     *testkit.Log
	logger  *slog.Logger
	retry   delivery.Retry
	fronts  []*modelFront
	steady  bool // the store's clock does not go back

	// of one seed
	rand    *rand.Rand
	seed    uint64
	user    store.User
	truth   *truth
	workers []*modelWorker
	tasks   []messages.Delivery
	unknown []string // session ids that were logged out, unfenced, before they were registered
	late    []func() // fences that were skipped and have not been made yet
}

func newModel(t *testing.T, open func(*testing.T, *modelClock) store.Store) *model {
	clock, log := newModelClock(), &testkit.Log{}
	s := open(t, clock)
	t.Cleanup(func() { _ = s.Close() })
	m := &model{
		t: t, clock: clock, store: s, metrics: workers.NewMetrics(prometheus.NewRegistry()), log: log,
		broker: &modelBroker{JetStream: eventstest.Start(t).JS, clock: clock, stamps: map[uint64]time.Time{}, returned: map[uint64]string{}},
		logger: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	_, m.steady = s.(*sqlitestore.Store)
	for range 2 {
		m.fronts = append(m.fronts, newModelFront(m))
	}
	return m
}

// connection is a connection of the admin API, which nothing befalls.
func (m *model) connection() *modelJetStream {
	return &modelJetStream{modelBroker: m.broker, alive: func() error { return nil }}
}

// published notes what a worker wants to be deleted at a provider.
func (m *model) published(msg *nats.Msg) error {
	if task, err := messages.DecodeDelivery(msg.Data); err == nil {
		m.truth.mu.Lock()
		defer m.truth.mu.Unlock()
		m.tasks = append(m.tasks, task)
	}
	return nil
}

func (m *model) run(seed uint64) {
	m.seed, m.rand = seed, rand.New(rand.NewPCG(seed, 0))
	m.user = store.User{TenantID: "acme", ID: fmt.Sprintf("user %d of %p", seed, m)}
	m.clock.advance(time.Hour) // by when a clock that was set back is right again
	m.stepClocks()
	m.truth, m.tasks, m.unknown, m.late = newTruth(m.clock), nil, nil, nil
	m.retry = delivery.Retry{GiveUpAfter: 24 * time.Hour, Initial: time.Millisecond}
	if m.rand.IntN(3) == 0 {
		m.retry.GiveUpAfter = time.Nanosecond // the first failure makes a dead letter
	}
	m.workers = []*modelWorker{m.startWorker("A"), m.startWorker("B")}
	defer func() {
		for _, w := range m.workers {
			w.bury()
		}
	}()
	m.login()
	m.play(strings.Fields(traces[m.rand.IntN(len(traces))]))
	for range 2 + m.rand.IntN(8) {
		m.act()
		m.check("newer")
	}
	m.drain()
	m.truth.settle()
	m.check("end")
	m.checkUnknown()
}
