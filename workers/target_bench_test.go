package workers_test

import (
	"github.com/logoutd/logoutd/workers/delivery"
	targethttp "github.com/logoutd/logoutd/workers/targets/http"

	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
)

// BenchmarkTarget drains a backlog of tasks from the embedded broker to a
// provider that answers at once, over loopback HTTP. What it costs more than
// BenchmarkSender is the price of doing it durably. The store "none" says of
// every registration that it was not made anew.
func BenchmarkTarget(b *testing.B) {
	for name, open := range map[string]func(*testing.B, int) store.Store{"store=none": noStore, "store=sqlite": fullStore} {
		b.Run(name, func(b *testing.B) {
			s := open(b, 0)
			provider := newCounter(b, b.N)
			server := eventstest.Start(b)
			p := broker.NewPublisher(server.JS, nil)
			b.Cleanup(p.Close)
			if err := p.All(b.Context(), benchTasks(b, b.N)); err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			target := delivery.NewWorker(delivery.Config{
				Target: provider.target(b), JetStream: server.JS, Publisher: p, Store: s,
				Metrics: delivery.NewMetrics(prometheus.NewRegistry()), Logger: slog.Default(),
			})
			ended := make(chan error, 1)
			b.ReportAllocs()
			b.ResetTimer()
			go func() { ended <- target.Run(ctx) }()
			<-provider.enough
			b.StopTimer()
			cancel()
			if err := <-ended; err != nil {
				b.Fatal(err)
			}
		})
	}
}

// BenchmarkSender calls the same provider in 32 goroutines that do nothing
// else.
func BenchmarkSender(b *testing.B) {
	provider := newCounter(b, b.N)
	target := provider.target(b).Target
	var next atomic.Int64
	var looping sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for range 32 {
		looping.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				d := messages.Delivery{Payload: fmt.Appendf(nil, `{"push_token":"push-%d"}`, n)}
				if err := target.Send(b.Context(), d); err != nil {
					b.Error(err)
				}
			}
		})
	}
	looping.Wait()
}

// counter is a provider that answers at once and tells when it has been asked
// often enough.
type counter struct {
	*httptest.Server
	enough chan struct{}
}

func newCounter(b *testing.B, n int) counter {
	c := counter{enough: make(chan struct{})}
	var asked atomic.Int64
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
		if asked.Add(1) == int64(n) {
			close(c.enough)
		}
	}))
	b.Cleanup(c.Close)
	return c
}

func (c counter) target(b *testing.B) delivery.Configured {
	return testkit.Target(b, targethttp.Kind, fmt.Sprintf("{name: http, kind: http, url: %q}", c.URL+"/{push_token}"))
}

func benchTasks(b *testing.B, n int) []*nats.Msg {
	now := events.At(time.Now())
	requests := benchRequests(n)
	msgs := make([]*nats.Msg, n)
	for i, r := range requests {
		reg := testkit.Registration{
			UserID: r.UserID, DeviceID: r.DeviceID, AppID: r.AppID, Provider: "http",
			PushToken: fmt.Sprint("push-", i), RegisteredAt: now,
		}
		reg.ID = store.PushRegistrationID(store.PushRegistration{
			User: store.User{ID: reg.UserID}, DeviceID: reg.DeviceID, AppID: reg.AppID, Provider: reg.Provider,
		})
		task := testkit.PushDelivery(r, now, reg)
		msg, err := task.Message(task.ID)
		if err != nil {
			b.Fatal(err)
		}
		msgs[i] = msg
	}
	return msgs
}

func (idleStore) Reregistered(_ context.Context, checks []store.PushCheck) ([]bool, error) {
	return make([]bool, len(checks)), nil
}
