package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/broker/embedded"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

func TestRequestsAreStored(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	var observed int
	p := broker.NewPublisher(b.JS, func(time.Duration) { observed++ })
	want := testkit.Request("r1")
	want.TraceParent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	if err := p.Requests(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if err := p.Requests(t.Context()); err != nil {
		t.Errorf("publishing nothing: %v", err)
	}
	p.Close()
	if diff := cmp.Diff([][]messages.Request{{want}}, testkit.StoredRequests(t, b)); diff != "" {
		t.Error(diff)
	}
	if observed != 1 {
		t.Errorf("observed %d publishes, want 1", observed)
	}
}

// gate holds the first publish until it is opened.
type gate struct {
	entered chan struct{}
	open    chan struct{}
	once    sync.Once
}

func gated(js jetstream.JetStream) (*testkit.Interceptor, *gate) {
	g := &gate{entered: make(chan struct{}), open: make(chan struct{})}
	return &testkit.Interceptor{JetStream: js, OnPublish: func(ctx context.Context, msg *nats.Msg, next testkit.PublishFunc) (*jetstream.PubAck, error) {
		g.once.Do(func() { close(g.entered); <-g.open })
		return next(ctx, msg)
	}}, g
}

// publishEach publishes each request from a caller of its own while the gate
// is shut, and returns once all wait; the function waits for their errors.
func publishEach(t *testing.T, ctx context.Context, p *broker.Publisher, g *gate, requests []messages.Request) func() []error {
	t.Helper()
	errs := make([]error, len(requests)+1)
	var started, ended sync.WaitGroup
	ended.Go(func() { errs[len(requests)] = p.Requests(context.Background(), testkit.Request("first")) })
	<-g.entered
	for i, r := range requests {
		started.Add(1)
		ended.Go(func() {
			started.Done()
			errs[i] = p.Requests(ctx, r)
		})
	}
	started.Wait()
	return func() []error { ended.Wait(); return errs }
}

func TestConcurrentRequestsShareMessages(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	js, gate := gated(b.JS)
	p := testkit.NewPublisher(t, js)
	var requests []messages.Request
	for i := range messages.MaxBatch {
		requests = append(requests, testkit.Request(fmt.Sprintf("r%d", i)))
	}
	wait := publishEach(t, t.Context(), p, gate, requests)
	close(gate.open)
	if err := errors.Join(wait()...); err != nil {
		t.Fatal(err)
	}
	batches, count := testkit.StoredRequests(t, b), 0
	for _, batch := range batches {
		count += len(batch)
	}
	// A few may have been scheduled too late for the second message.
	if len(batches) > 40 || count != len(requests)+1 {
		t.Errorf("%d requests in %d messages, want %d in few", count, len(batches), len(requests)+1)
	}
}

func TestMessagesAreLimited(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ requests, reason int }{
		"by number": {3 * messages.MaxBatch, 0},
		"by length": {50, 5000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := eventstest.Start(t)
			var requests []messages.Request
			for i := range tt.requests {
				r := testkit.Request(fmt.Sprintf("r%d", i))
				r.Reason = strings.Repeat("<", tt.reason) // six bytes each in JSON
				requests = append(requests, r)
			}
			if err := testkit.NewPublisher(t, b.JS).Requests(t.Context(), requests...); err != nil {
				t.Fatal(err)
			}
			count := 0
			for _, msg := range b.Messages(messages.StreamRequests) {
				batch, err := messages.DecodeRequests(msg.Data)
				if err != nil {
					t.Fatal(err)
				}
				count += len(batch)
				if len(batch) > messages.MaxBatch || len(msg.Data) > messages.MaxBatchBytes {
					t.Errorf("a message of %d requests and %d bytes", len(batch), len(msg.Data))
				}
			}
			if count != tt.requests {
				t.Errorf("%d requests are stored, want %d", count, tt.requests)
			}
		})
	}
}

func TestLostAcknowledgementIsResent(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	var sent []*nats.Msg
	js := &testkit.Interceptor{JetStream: b.JS, OnPublish: func(ctx context.Context, msg *nats.Msg, next testkit.PublishFunc) (*jetstream.PubAck, error) {
		sent = append(sent, msg)
		ack, err := next(ctx, msg)
		if len(sent) == 1 {
			return nil, context.DeadlineExceeded
		}
		return ack, err
	}}
	if err := testkit.NewPublisher(t, js).Requests(t.Context(), testkit.Request("r")); err != nil {
		t.Fatal(err)
	}
	if len(sent) != 2 {
		t.Fatalf("sent %d times, want twice", len(sent))
	}
	if !bytes.Equal(sent[0].Data, sent[1].Data) || sent[0].Header.Get(nats.MsgIdHdr) != sent[1].Header.Get(nats.MsgIdHdr) {
		t.Error("the second message differs from the first")
	}
	if n := len(b.Messages(messages.StreamRequests)); n != 1 {
		t.Errorf("%d messages are stored, want 1", n)
	}
}

func TestStoppedBrokerIsUnavailableAtOnce(t *testing.T) {
	t.Parallel()
	server, err := embedded.Start(embedded.Config{Dir: t.TempDir(), Listen: "-"})
	if err != nil {
		t.Fatal(err)
	}
	disconnected := make(chan struct{})
	conn, err := server.Connect(broker.ConnectConfig{Name: "test", Options: []nats.Option{
		nats.DisconnectErrHandler(func(*nats.Conn, error) { close(disconnected) }),
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := broker.JetStream(conn)
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	<-disconnected
	p := testkit.NewPublisher(t, js)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	for what, err := range map[string]error{
		"requests": p.Requests(ctx, testkit.Request("r")), "a batch": p.All(ctx, tasks(t, 0, 2)), "a task": p.All(ctx, tasks(t, 0, 1)),
	} {
		if !errors.Is(err, broker.ErrUnavailable) || ctx.Err() != nil {
			t.Errorf("publishing %s: %v (%v), want ErrUnavailable within a second", what, err, ctx.Err())
		}
	}
}

func TestMissingStreamIsUnavailable(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	if err := b.JS.DeleteStream(t.Context(), messages.StreamRequests); err != nil {
		t.Fatal(err)
	}
	if err := testkit.NewPublisher(t, b.JS).Requests(t.Context(), testkit.Request("r")); !errors.Is(err, broker.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}

func TestCallersLeaveWithoutDisturbingOthers(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	js, gate := gated(b.JS)
	p := testkit.NewPublisher(t, js)
	ctx, cancel := context.WithCancel(t.Context())
	leaving := publishEach(t, ctx, p, gate, []messages.Request{testkit.Request("l1"), testkit.Request("l2")})
	staying := make(chan error, 1)
	go func() { staying <- p.Requests(context.Background(), testkit.Request("stays")) }()
	expired, cancelExpired := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancelExpired()
	if err := p.Requests(expired, testkit.Request("late")); !errors.Is(err, broker.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("past its deadline: %v, want ErrUnavailable and DeadlineExceeded", err)
	}
	cancel()
	close(gate.open)
	for i, err := range leaving()[:2] {
		// Cancelled and acknowledged at the same time may end either way.
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("caller %d that left: %v", i, err)
		}
	}
	if err := <-staying; err != nil {
		t.Errorf("caller that stayed: %v", err)
	}
}

func TestCloseAnswersWhoWaits(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	js, gate := gated(b.JS)
	p := broker.NewPublisher(js, nil)
	var requests []messages.Request
	for i := range 2 * messages.MaxBatch {
		requests = append(requests, testkit.Request(fmt.Sprintf("r%d", i)))
	}
	wait := publishEach(t, context.Background(), p, gate, requests)
	closed := make(chan struct{})
	go func() { p.Close(); close(closed) }()
	close(gate.open)
	<-closed
	answered := 0
	for _, err := range wait() {
		if err == nil {
			answered++
		} else if !errors.Is(err, broker.ErrUnavailable) {
			t.Errorf("error %v, want ErrUnavailable", err)
		}
	}
	kept := map[string]bool{}
	for _, batch := range testkit.StoredRequests(t, b) {
		for _, r := range batch {
			kept[r.ID] = true
		}
	}
	if !kept["first"] || answered != len(kept) {
		t.Errorf("%d callers have their acknowledgement, %d requests are stored", answered, len(kept))
	}
	if err := p.Requests(context.Background(), testkit.Request("after")); !errors.Is(err, broker.ErrUnavailable) {
		t.Errorf("after Close: %v, want ErrUnavailable", err)
	}
	p.Close()
}

func TestAgainIsStoredOnceARound(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	p := testkit.NewPublisher(t, b.JS)
	r := testkit.Request("r")
	r.History = messages.History{Attempts: 2, Code: "http_500", Waited: 1500}
	task := testkit.PushDelivery(r, testkit.Noon, testkit.Registration{ID: "p", Provider: "http"})
	for _, from := range []uint64{1, 1, 7} {
		if err := errors.Join(p.Again(t.Context(), r, from), p.DeliveryAgain(t.Context(), task, from)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([][]messages.Request{{r}, {r}}, testkit.StoredRequests(t, b)); diff != "" {
		t.Error(diff)
	}
	if n := len(b.Messages(messages.StreamTasks)); n != 2 {
		t.Errorf("%d tasks are stored, want 2", n)
	}
}

func TestSplitStoresEachPart(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	parts := [][]messages.Request{{testkit.Request("a"), testkit.Request("b")}, {testkit.Request("c")}}
	if err := testkit.NewPublisher(t, b.JS).Split(t.Context(), parts...); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parts, testkit.StoredRequests(t, b)); diff != "" {
		t.Error(diff)
	}
}

// TestSplitKeepsTheLimits: an entry with candidates is more requests than a
// message holds.
func TestSplitKeepsTheLimits(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	part := make([]messages.Request, 5*messages.MaxBatch)
	for i := range part {
		part[i] = testkit.Request(fmt.Sprint("r", i))
	}
	if err := testkit.NewPublisher(t, b.JS).Split(t.Context(), part[:1], part[1:]); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, batch := range testkit.StoredRequests(t, b) {
		if n += len(batch); len(batch) > messages.MaxBatch {
			t.Errorf("%d requests in a message", len(batch))
		}
	}
	if n != len(part) {
		t.Errorf("%d requests are stored, want %d", n, len(part))
	}
}

// A broker that refused requests is in trouble until it takes some: a probe too,
// since nobody sends requests to a front end that is not ready.
func TestBrokerThatAcknowledgesNothingIsInTrouble(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	var broken atomic.Pointer[error]
	p := testkit.NewPublisher(t, &testkit.Interceptor{JetStream: b.JS, OnPublish: func(ctx context.Context, msg *nats.Msg, next testkit.PublishFunc) (*jetstream.PubAck, error) {
		if err := broken.Load(); err != nil {
			return nil, *err
		}
		return next(ctx, msg)
	}})
	if err := p.Trouble(t.Context()); err != nil {
		t.Errorf("before anything was published: %v", err)
	}
	for _, tc := range []struct {
		fault error
		says  string
	}{
		{errors.New("raw-cause"), "connected, but does not acknowledge"},
		{&jetstream.APIError{Description: "maximum bytes exceeded"}, "connected, but refuses what is published: maximum bytes exceeded"},
	} {
		broken.Store(&tc.fault)
		if p.Requests(t.Context(), testkit.Request("r")) == nil {
			t.Fatal("a failed publish is no error")
		}
		for range 3 {
			if err := p.Trouble(t.Context()); err == nil || err.Error() != tc.says {
				t.Errorf("got trouble %v, want %s", err, tc.says)
			}
		}
		broken.Store(nil)
		if err := errors.Join(p.Requests(t.Context(), testkit.Request("r")), p.Trouble(t.Context())); err != nil {
			t.Errorf("after a publish that was acknowledged: %v", err)
		}
	}
	broken.Store(new(errors.New("raw-cause")))
	_ = p.Requests(t.Context(), testkit.Request("r"))
	broken.Store(nil)
	var probing sync.WaitGroup
	for range 10 { // they share a probe
		probing.Go(func() {
			for deadline := time.Now().Add(10 * time.Second); p.Trouble(t.Context()) != nil; <-time.After(10 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Error("the trouble does not end")
					return
				}
			}
		})
	}
	probing.Wait()
	probes := 0
	for _, batch := range testkit.StoredRequests(t, b) {
		if len(batch) == 0 {
			probes++
		}
	}
	if probes != 1 {
		t.Errorf("%d probes are stored, want 1", probes)
	}
}

// A session's record that a login service wrote may hold any time. Published,
// it would make the whole message unreadable.
func TestRequestThatNobodyCouldReadIsRefusedAlone(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	p := testkit.NewPublisher(t, b.JS)
	for _, at := range []time.Time{time.UnixMilli(1 << 50), time.UnixMilli(-1 << 50)} {
		bad := testkit.Request("bad")
		bad.AuthenticatedAt = events.At(at)
		if err := p.Requests(t.Context(), bad); err == nil || errors.Is(err, broker.ErrUnavailable) {
			t.Errorf("%s: got error %v, want one that does not blame the broker", at, err)
		}
	}
	if err := p.Requests(t.Context(), testkit.Request("good")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]messages.Request{{testkit.Request("good")}}, testkit.StoredRequests(t, b)); diff != "" {
		t.Error(diff)
	}
}

// A request that is longer than a message can be fails alone, and is no
// trouble of the broker's.
func TestRequestThatIsTooLongFailsAlone(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	p := testkit.NewPublisher(t, b.JS)
	long := testkit.Request("long")
	long.DeviceID = strings.Repeat("d", 1<<20)
	results := make(chan error, 20)
	for i := range cap(results) {
		go func() { results <- p.Requests(t.Context(), testkit.Request(fmt.Sprint(i))) }()
	}
	if err := p.Requests(t.Context(), long); !errors.Is(err, broker.ErrTooLarge) || errors.Is(err, broker.ErrUnavailable) {
		t.Errorf("got error %v, want %v alone", err, broker.ErrTooLarge)
	}
	for range cap(results) {
		if err := <-results; err != nil {
			t.Errorf("another caller's request: %v", err)
		}
	}
	if err := p.Trouble(t.Context()); err != nil {
		t.Error(err)
	}
	again := p.All(t.Context(), append(tasks(t, 0, 1), &nats.Msg{Subject: messages.SubjectTask("http", "http"), Data: make([]byte, 1<<20)}))
	if !errors.Is(again, broker.ErrTooLarge) || errors.Is(again, broker.ErrUnavailable) {
		t.Errorf("a task that is too long: %v", again)
	}
}
