package broker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

func TestSetupIsIdempotent(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	if err := testkit.NewPublisher(t, b.JS).Requests(t.Context(), testkit.Request("r")); err != nil {
		t.Fatal(err)
	}
	if err := broker.Setup(t.Context(), b.JS); err != nil {
		t.Fatal(err)
	}
	if n := len(b.Messages(messages.StreamRequests)); n != 1 {
		t.Errorf("%d messages after another setup, want 1", n)
	}
}

func TestSetupLeavesHarmlessSettings(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	alter(t, b, events.StreamEvents, func(c *jetstream.StreamConfig) { c.MaxAge, c.MaxBytes = time.Hour, 1<<30 })
	if err := broker.Setup(t.Context(), b.JS); err != nil {
		t.Fatal(err)
	}
	stream, err := b.JS.Stream(t.Context(), events.StreamEvents)
	if err != nil {
		t.Fatal(err)
	}
	if c := stream.CachedInfo().Config; c.MaxAge != time.Hour || c.MaxBytes != 1<<30 {
		t.Errorf("the operator's max_age and max_bytes became %v and %d", c.MaxAge, c.MaxBytes)
	}
}

func TestSetupRefusesStreamsThatLoseMessages(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	for _, tt := range []struct {
		stream string
		alter  func(*jetstream.StreamConfig)
		want   string
	}{
		{messages.StreamRequests, func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }, "storage"},
		{messages.StreamRequests, func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }, "set its max_age to 0"},
		{messages.StreamFailed, func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }, "set its max_age to 0"},
		{messages.StreamTasks, func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld }, "set its discard policy to new"},
		{messages.StreamTasks, func(c *jetstream.StreamConfig) { c.Retention = jetstream.InterestPolicy }, "retention limits"},
		{messages.StreamTasks, func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = 5 }, "set its max_msgs_per_subject to -1"},
		{events.StreamEvents, func(c *jetstream.StreamConfig) {
			c.AllowAtomicPublish, c.PersistMode = false, jetstream.AsyncPersistMode
		}, "set its persist_mode to default"},
		{events.StreamEvents, func(c *jetstream.StreamConfig) {
			c.RePublish = &jetstream.RePublish{Source: "logout.events.>", Destination: "elsewhere.>"}
		}, "destination to logout.live.>"},
	} {
		mend := alter(t, b, tt.stream, tt.alter)
		err := broker.Setup(t.Context(), b.JS)
		if err == nil || errors.Is(err, broker.ErrUnavailable) ||
			!strings.Contains(err.Error(), tt.stream) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want one for good with %q and %q", err, tt.stream, tt.want)
		}
		mend()
	}
}

// alter makes a stream anew with other settings; the function restores it.
func alter(t *testing.T, b *eventstest.Broker, name string, change func(*jetstream.StreamConfig)) func() {
	t.Helper()
	stream, err := b.JS.Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	original := stream.CachedInfo().Config
	altered := original
	change(&altered)
	renew := func(c jetstream.StreamConfig) {
		t.Helper()
		if err := b.JS.DeleteStream(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		if _, err := b.JS.CreateStream(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	renew(altered)
	return func() { t.Helper(); renew(original) }
}

// TestSetupRepublishesEvents: a stream of an earlier build gets what
// subscribers rely on, and keeps what its operator has set.
func TestSetupRepublishesEvents(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	alter(t, b, events.StreamEvents, func(c *jetstream.StreamConfig) { c.RePublish, c.MaxAge = nil, time.Hour })
	if err := broker.Setup(t.Context(), b.JS); err != nil {
		t.Fatal(err)
	}
	stream, err := b.JS.Stream(t.Context(), events.StreamEvents)
	if err != nil {
		t.Fatal(err)
	}
	want := &jetstream.RePublish{Source: "logout.events.>", Destination: "logout.live.>"}
	if c := stream.CachedInfo().Config; !cmp.Equal(c.RePublish, want) || c.MaxAge != time.Hour {
		t.Errorf("republishes %+v, keeps events for %s", c.RePublish, c.MaxAge)
	}
}

func TestSetupOfStoppedBrokerIsUnavailable(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	b.Stop()
	if err := broker.Setup(t.Context(), b.JS); !errors.Is(err, broker.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
}

func TestSetupOnClusterReplicates(t *testing.T) {
	t.Parallel()
	conn, err := broker.Connect(broker.ConnectConfig{URL: startCluster(t), Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := broker.JetStream(conn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	// As serve does while a cluster elects its leaders.
	for err = broker.Setup(ctx, js); errors.Is(err, broker.ErrUnavailable) && ctx.Err() == nil; {
		err = broker.Setup(ctx, js)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{messages.StreamRequests, messages.StreamTasks, events.StreamEvents, messages.StreamFailed, messages.StreamAudit} {
		stream, err := js.Stream(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if n := stream.CachedInfo().Config.Replicas; n != 3 {
			t.Errorf("%s has %d replicas, want 3", name, n)
		}
	}
	p := testkit.NewPublisher(t, js)
	if err := errors.Join(p.Requests(ctx, testkit.Request("r")), p.All(ctx, tasks(t, 0, 10))); err != nil {
		t.Error(err)
	}
}

// startCluster starts three servers and returns where they listen.
func startCluster(t *testing.T) string {
	t.Helper()
	var urls, routes []string
	for range 3 {
		routes = append(routes, "nats://"+freeAddress(t))
	}
	for i, route := range routes {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), Routes: server.RoutesFromStr(strings.Join(routes, ",")),
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port(t, route)},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		s.Start()
		if !s.ReadyForConnections(10 * time.Second) {
			t.Fatal("a server of the cluster does not start")
		}
		urls = append(urls, s.ClientURL())
	}
	return strings.Join(urls, ",")
}

// freeAddress returns an address that nobody listens on: the servers of a
// cluster have to know each other's before they start.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func port(t *testing.T, address string) int {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// A stream of an earlier version gets the subjects that it lacks, and keeps
// what lies on it.
func TestSetupAddsSubjects(t *testing.T) {
	t.Parallel()
	b := eventstest.Start(t)
	stream, err := b.JS.Stream(t.Context(), messages.StreamRequests)
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.Subjects = []string{messages.SubjectRequests}
	if _, err := b.JS.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	p := testkit.NewPublisher(t, b.JS)
	unfenced := testkit.Request("u")
	unfenced.Fenced = false
	if err := p.Requests(t.Context(), testkit.Request("f")); err != nil {
		t.Fatal(err)
	}
	if err := p.Requests(t.Context(), unfenced); !errors.Is(err, broker.ErrUnavailable) {
		t.Fatalf("published on a subject that the stream lacks: %v", err)
	}
	if err := broker.Setup(t.Context(), b.JS); err != nil {
		t.Fatal(err)
	}
	if err := p.Requests(t.Context(), unfenced, testkit.Request("g")); err != nil {
		t.Fatal(err)
	}
	var subjects []string
	for _, msg := range b.Messages(messages.StreamRequests) {
		subjects = append(subjects, msg.Subject)
	}
	slices.Sort(subjects)
	if want := []string{messages.SubjectRequests, messages.SubjectRequests, messages.SubjectUnfenced}; !slices.Equal(subjects, want) {
		t.Errorf("on the stream: %v, want %v", subjects, want)
	}
}
