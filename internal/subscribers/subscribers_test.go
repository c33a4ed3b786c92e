package subscribers_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker/embedded"
	"github.com/logoutd/logoutd/internal/subscribers"
)

// world is an embedded broker and its subscribers.
type world struct {
	*subscribers.Subscribers
	dir    string
	broker *embedded.Broker
	js     jetstream.JetStream
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	var err error
	if w.broker, err = embedded.Start(embedded.Config{Dir: w.dir, Listen: "127.0.0.1:0"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.broker.Close)
	w.js = eventstest.Connect(t, w.broker)
	w.Subscribers = subscribers.New(subscribers.Config{JetStream: w.js, Apply: w.broker.SetSubscribers})
	if err := w.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) create(t *testing.T, name string, n int) subscribers.Credential {
	t.Helper()
	c, err := w.Create(t.Context(), name, n, "test")
	if err != nil {
		t.Fatalf("creating %s: %v", name, err)
	}
	return c
}

// opens reports whether a subscriber can connect.
func (w *world) opens(c subscribers.Credential) bool {
	conn, err := nats.Connect(w.broker.URL(), nats.UserInfo(c.Name, c.Password))
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// consumers returns how many there are.
func (w *world) consumers(t *testing.T) int {
	t.Helper()
	stream, err := w.js.Stream(t.Context(), events.StreamEvents)
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().State.Consumers
}

func TestCreateAndRevoke(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, many := w.create(t, "one", 1), w.create(t, "many", subscribers.MaxConsumers)
	if !w.opens(one) || !w.opens(many) || w.consumers(t) != 1+subscribers.MaxConsumers || one.Account != "" {
		t.Errorf("%v %v, %d consumers, account %q", w.opens(one), w.opens(many), w.consumers(t), one.Account)
	}
	if err := w.Revoke(t.Context(), "many"); err != nil {
		t.Fatal(err)
	}
	if !w.opens(one) || w.opens(many) || w.consumers(t) != 1 {
		t.Errorf("after the revocation: %v %v, %d consumers", w.opens(one), w.opens(many), w.consumers(t))
	}
	if again := w.create(t, "many", 1); !w.opens(again) || w.opens(many) {
		t.Error("the old password opens again, or the new one does not")
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(t, "shop", 1)
	foreign := jetstream.ConsumerConfig{Durable: "foreign_2", AckPolicy: jetstream.AckExplicitPolicy}
	if _, err := w.js.CreateConsumer(t.Context(), events.StreamEvents, foreign); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		n    int
		want error
	}{
		{"shop", 1, subscribers.ErrExists}, {"shop", 2, subscribers.ErrExists}, {"foreign", 3, subscribers.ErrConsumer},
		{"new", 0, subscribers.ErrConsumers}, {"new", -1, subscribers.ErrConsumers}, {"new", 33, subscribers.ErrConsumers},
		{"", 1, subscribers.ErrName}, {"New", 1, subscribers.ErrName}, {"a_1", 1, subscribers.ErrName}, {"a.b", 1, subscribers.ErrName},
		{"a-", 1, subscribers.ErrName}, {">", 1, subscribers.ErrName}, {"a\n", 1, subscribers.ErrName}, {"logoutd", 1, subscribers.ErrName},
	} {
		if _, err := w.Create(t.Context(), c.name, c.n, "test"); !errors.Is(err, c.want) {
			t.Errorf("%q with %d: %v, want %v", c.name, c.n, err, c.want)
		}
	}
	if n := w.consumers(t); n != 2 {
		t.Errorf("%d consumers, want the two that there were", n)
	}
	if all, err := w.List(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("listed: %v, %v", all, err)
	}
	for _, name := range []string{"foreign", "new", "A", ""} {
		if err := w.Revoke(t.Context(), name); !errors.Is(err, subscribers.ErrNoSubscriber) {
			t.Errorf("revoking %q: %v", name, err)
		}
	}
}

// TestSameNameAtOnce: exactly one is made.
func TestSameNameAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	made := make(chan subscribers.Credential, 8)
	var all errgroup.Group
	for range cap(made) {
		all.Go(func() error {
			c, err := w.Create(t.Context(), "twin", 1, "test")
			if err == nil {
				made <- c
			} else if !errors.Is(err, subscribers.ErrExists) {
				return err
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil || len(made) != 1 || !w.opens(<-made) {
		t.Fatalf("%d more were made: %v", len(made), err)
	}
}

// TestForeignEntries: what is no subscriber lets nobody in, keeps nobody out,
// and cannot change the configuration of the broker.
func TestForeignEntries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create(t, "shop", 1)
	bucket, err := w.js.KeyValue(t.Context(), "logoutd_subscribers")
	if err != nil {
		t.Fatal(err)
	}
	const hash = "$2a$04$......................EdM9w8n3h8vKx3d8kqjC5u7bJmJ0qXe"
	for key, value := range map[string]string{
		"text": "no JSON", "empty": `{}`, "plain": `{"name":"plain","consumers":["plain"],"bcrypt":"secret"}`,
		"other": `{"name":"shop","consumers":["shop"],"bcrypt":"` + hash + `"}`,
		"thief": `{"name":"thief","consumers":["shop"],"bcrypt":"` + hash + `"}`,
		"wild":  `{"name":"wild","consumers":[">"],"bcrypt":"` + hash + `"}`,
		"admin": `{"name":"admin","consumers":["admin"],"bcrypt":"` + hash + `"}`,
	} {
		if _, err := bucket.PutString(t.Context(), key, value); err != nil {
			t.Fatal(err)
		}
	}
	more := w.create(t, "more", 1)
	if all, err := w.List(t.Context()); err != nil || len(all) != 2 || !w.opens(shop) || !w.opens(more) {
		t.Errorf("listed %v, %v", all, err)
	}
	if conn, err := nats.Connect(w.broker.URL(), nats.UserInfo("plain", "secret")); err == nil {
		conn.Close()
		t.Error("a plain password lets in")
	}
}

// TestRevokedInPart: whoever was revoked stays out, and is revoked to the end
// by the next call.
func TestRevokedInPart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create(t, "shop", 2)
	bucket, err := w.js.KeyValue(t.Context(), "logoutd_subscribers")
	if err != nil {
		t.Fatal(err)
	}
	entry, err := bucket.Get(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	marked := strings.TrimSuffix(string(entry.Value()), "}") + `,"revoked":true}`
	if _, err := bucket.PutString(t.Context(), "shop", marked); err != nil {
		t.Fatal(err)
	}
	if err := w.Load(t.Context()); err != nil || w.opens(shop) {
		t.Errorf("opens %v: %v", w.opens(shop), err)
	}
	if all, err := w.List(t.Context()); err != nil || len(all) != 1 || !all[0].Revoked {
		t.Errorf("listed %v, %v", all, err)
	}
	if err := w.Revoke(t.Context(), "shop"); err != nil || w.consumers(t) != 0 {
		t.Errorf("%d consumers: %v", w.consumers(t), err)
	}
}

// TestPasswordsAreNotKept looks for them in all that the broker has written.
func TestPasswordsAreNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop := w.create(t, "shop", 1)
	w.broker.Close()
	found := false
	err := filepath.WalkDir(w.dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		found = found || strings.Contains(string(text), `"name":"shop"`)
		if strings.Contains(string(text), strings.TrimPrefix(shop.Password, "logoutd_sub_")) {
			t.Errorf("%s holds a password", path)
		}
		return err
	})
	if err != nil || !found {
		t.Errorf("is this everything? %v", err)
	}
}
