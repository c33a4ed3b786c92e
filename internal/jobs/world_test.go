package jobs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/jobs"
)

// kind is the kind of job that tests run.
const kind = "test"

// broker is a broker of its own, which each process has a connection to.
type testBroker struct {
	testing.TB
	options server.Options
	server  *server.Server
	quick   time.Duration // leases last so many times shorter
}

func newBroker(t testing.TB) *testBroker {
	t.Helper()
	b := &testBroker{TB: t, quick: 10, options: server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
	}}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *testBroker) start() {
	b.Helper()
	options := b.options
	s, err := server.NewServer(&options)
	if err != nil {
		b.Fatalf("making broker: %v", err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		b.Fatal("the broker does not start")
	}
	b.server, b.options.Port = s, options.Port
}

func (b *testBroker) stop() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
}

// process is one that runs jobs.
type process struct {
	*jobs.Jobs
	t       testing.TB
	conn    *nats.Conn
	work    *work
	mu      sync.Mutex
	changes []string
	stop    func() // as on SIGTERM
}

// process starts one.
func (b *testBroker) process(name string, w *work) *process {
	b.Helper()
	p := b.idle(name, w)
	b.run(p)
	return p
}

// run lets a process work on jobs.
func (b *testBroker) run(p *process) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Errorf("running jobs: %v", err)
		}
	})
	b.Cleanup(p.stop)
}

// idle is a process that only asks.
func (b *testBroker) idle(name string, w *work) *process {
	b.Helper()
	p := &process{t: b.TB, work: w}
	p.conn, p.Jobs = connect(b.TB, b.server.ClientURL(), name, w, p.changed)
	jobs.Quicken(p.Jobs, b.quick)
	b.Cleanup(p.conn.Close)
	return p
}

func connect(t testing.TB, url, name string, w *work, changed func(before, after jobs.Job)) (*nats.Conn, *jobs.Jobs) {
	t.Helper()
	conn, err := broker.Connect(broker.ConnectConfig{URL: url, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	js, err := broker.JetStream(conn)
	if err != nil {
		t.Fatal(err)
	}
	works := map[string]jobs.Work{}
	if w != nil {
		works[kind] = w
	}
	j := jobs.New(jobs.Config{JetStream: js, Works: works, Instance: name, Changed: changed})
	return conn, j
}

func (p *process) changed(before, after jobs.Job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes = append(p.changes, fmt.Sprintf("%s>%s", before.State, after.State))
}

func (p *process) changesSeen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.changes, " ")
}

// kill leaves everything as it is: no lease is given back, nothing more is
// written.
func (p *process) kill() { p.conn.Close() }

// plan stores items 0 up to n-1.
func (p *process) plan(n int) jobs.Plan {
	p.t.Helper()
	plan, err := p.Prepare(p.t.Context(), jobs.Draft{Kind: kind, By: "ann", Query: json.RawMessage(`{"all":true}`)}, numbers(n))
	if err != nil {
		p.t.Fatalf("preparing: %v", err)
	}
	return plan
}

// job starts a job on items 0 up to n-1.
func (p *process) job(n int) jobs.Job {
	p.t.Helper()
	job, err := p.Start(p.t.Context(), start(p.plan(n)))
	if err != nil {
		p.t.Fatalf("starting: %v", err)
	}
	return job
}

func start(p jobs.Plan) jobs.Start {
	return jobs.Start{Token: p.Token, Kind: p.Kind, By: "bob", Reason: "because"}
}

// until waits for a job to be as wanted.
func (p *process) until(id string, wanted func(jobs.Job) bool) jobs.Job {
	p.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		job, err := p.Get(p.t.Context(), id)
		if err == nil && wanted(job) {
			return job
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("the job stays as it is: %+v, error %v", job, err)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func is(s jobs.State) func(jobs.Job) bool { return func(j jobs.Job) bool { return j.State == s } }

func finished(j jobs.Job) bool { return j.State.Finished() }

// numbers are the items 0 up to n-1.
func numbers(n int) iter.Seq2[jobs.Item, error] {
	return func(yield func(jobs.Item, error) bool) {
		for i := range n {
			if !yield(fmt.Append(nil, i), nil) {
				return
			}
		}
	}
}

// stored is how many keys there are of plans, jobs and items.
func (p *process) stored() int {
	p.t.Helper()
	js, err := broker.JetStream(p.conn)
	if err != nil {
		p.t.Fatal(err)
	}
	n := 0
	for _, name := range []string{"logoutd_jobs", "logoutd_plans"} {
		bucket, err := js.KeyValue(p.t.Context(), name)
		if err != nil {
			p.t.Fatal(err)
		}
		keys, err := bucket.ListKeys(p.t.Context())
		if err != nil {
			p.t.Fatal(err)
		}
		for range keys.Keys() {
			n++
		}
	}
	return n
}
