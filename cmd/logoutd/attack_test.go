package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/subscribers"
)

// arena is a broker with two subscribers, of whom one attacks.
type arena struct {
	js, worker       jetstream.JetStream // the admin role's, or more; the worker role's
	victim, attacker string              // URLs with passwords
}

// TestSubscriberAttacks: with its credential a subscriber reaches nothing that
// belongs to another one, or to logoutd, on the embedded broker and on a
// nats-server with the deployed configuration.
func TestSubscriberAttacks(t *testing.T) {
	t.Parallel()
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		b := eventstest.Start(t)
		attackAll(t, arena{b.JS, b.JS, b.Subscribe("victim"), b.Subscribe("attacker")})
	})
	t.Run("nats-server", func(t *testing.T) {
		t.Parallel()
		n := deployNATS(t)
		js := n.as(t, roleAdmin)
		if err := broker.SetupFrom(t.Context(), js, 1); err != nil {
			t.Fatal(err)
		}
		all := subscribers.New(subscribers.Config{JetStream: js})
		urlOf := func(name string) string {
			c, err := all.Create(t.Context(), name, 1, "test")
			if err != nil {
				t.Fatal(err)
			}
			n.addAccount(t, c.Account)
			return n.urlFor(name, c.Password)
		}
		attackAll(t, arena{js, n.as(t, roleWorker), urlOf("victim"), urlOf("attacker")})
	})
}

// urlFor returns where a user connects.
func (n *natsServer) urlFor(user, password string) string {
	return (&url.URL{Scheme: "nats", Host: n.address(), User: url.UserPassword(user, password)}).String()
}

// attackAll does everything that a subscriber must not be able to do, and then
// looks whether anything has changed, or anything was read.
func attackAll(t *testing.T, a arena) {
	t.Helper()
	publishEvents(t, a.worker, 5)
	inFlight(t, a.worker)
	victim, attacker := subscriberConn(t, a.victim), subscriberConn(t, a.attacker)
	js, err := jetstream.New(victim)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := js.Consumer(t.Context(), events.StreamEvents, "victim")
	if err != nil {
		t.Fatal(err)
	}
	held, err := consumer.Next(jetstream.FetchMaxWait(5 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	// What would show that answers go astray, or are forged.
	live := listenTo(t, victim, events.SubjectLive+">")
	inbox := listenTo(t, victim, "_INBOX.victims.>")

	before := a.state(t)
	refused := a.publishEverywhere(t, attacker, held.Reply())
	if want := len(forbidden(held.Reply())) + 1000; refused < want {
		t.Errorf("%d publishes were refused, want %d", refused, want)
	}
	a.subscribeEverywhere(t)
	a.replyEverywhere(t, attacker, held.Reply())
	if after := a.state(t); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}

	stolen := listenTo(t, subscriberConn(t, a.attacker), "_INBOX.>")
	if err := victim.PublishRequest("$JS.API.CONSUMER.INFO.LOGOUT_EVENTS.victim", "_INBOX.victims.one", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := inbox.NextMsg(5 * time.Second); err != nil {
		t.Errorf("the victim's own answer: %v", err)
	}
	expectNothing(t, "the victim's inbox", inbox)
	expectNothing(t, "live events", live)
	expectNothing(t, "what the attacker reads of inboxes", stolen)
	if err := held.DoubleAck(t.Context()); err != nil {
		t.Error(err)
	}
	for n := range 4 {
		msg, err := consumer.Next(jetstream.FetchMaxWait(5 * time.Second))
		if err != nil || msg.Headers().Get(nats.MsgIdHdr) != fmt.Sprint("e", n+1) {
			t.Fatalf("the victim's next event: %v, %v", msg, err)
		}
	}
}

// publishEvents puts n events on the public stream.
func publishEvents(t *testing.T, js jetstream.JetStream, n int) {
	t.Helper()
	p := broker.NewPublisher(js, nil)
	defer p.Close()
	for i := range n {
		msg, err := messages.RevokedMessage(events.Revoked{Scope: "user", RequestID: fmt.Sprint("e", i)}, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := p.All(t.Context(), []*nats.Msg{msg}); err != nil {
			t.Fatal(err)
		}
	}
}

// inFlight publishes a request and delivers it to the revoker, which does not
// acknowledge it.
func inFlight(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	p := broker.NewPublisher(js, nil)
	defer p.Close()
	request := messages.Request{ID: "r", Scope: "session", SessionID: "s", Cutoff: events.At(time.Now())}
	if err := p.Requests(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	consumer, err := js.CreateConsumer(t.Context(), messages.StreamRequests, jetstream.ConsumerConfig{
		Durable: messages.ConsumerRevoker, AckPolicy: jetstream.AckExplicitPolicy, AckWait: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := consumer.Next(jetstream.FetchMaxWait(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
}

func subscriberConn(t *testing.T, natsURL string, options ...nats.Option) *nats.Conn {
	t.Helper()
	conn, err := nats.Connect(natsURL, append([]nats.Option{nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

func listenTo(t *testing.T, conn *nats.Conn, subject string) *nats.Subscription {
	t.Helper()
	sub, err := conn.SubscribeSync(subject)
	if err == nil {
		err = conn.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

func expectNothing(t *testing.T, what string, sub *nats.Subscription) {
	t.Helper()
	if msg, err := sub.NextMsg(100 * time.Millisecond); err == nil {
		t.Errorf("%s: %s %s", what, msg.Subject, msg.Data)
	}
}

// state tells what lies on the streams and how far the consumers are.
func (a arena) state(t *testing.T) string {
	t.Helper()
	all := ""
	for _, name := range []string{messages.StreamRequests, messages.StreamTasks, events.StreamEvents, messages.StreamFailed, messages.StreamAudit} {
		stream, err := a.js.Stream(t.Context(), name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		s, c := stream.CachedInfo().State, stream.CachedInfo().Config
		all += fmt.Sprintf("%s %d-%d, %d consumers, %v %v %v\n", name, s.FirstSeq, s.LastSeq, s.Consumers, c.Subjects, c.MaxAge, c.RePublish)
	}
	for _, on := range []struct{ stream, consumer string }{
		{events.StreamEvents, "victim"}, {events.StreamEvents, "attacker"}, {messages.StreamRequests, messages.ConsumerRevoker},
	} {
		consumer, err := a.js.Consumer(t.Context(), on.stream, on.consumer)
		if err != nil {
			t.Fatalf("%s: %v", on.consumer, err)
		}
		info := consumer.CachedInfo()
		config, err := json.Marshal(info.Config)
		if err != nil {
			t.Fatal(err)
		}
		if on.consumer == "attacker" {
			all += fmt.Sprintf("attacker: %s\n", config)
			continue
		}
		all += fmt.Sprintf("%s: %d pending, %d unacknowledged, %d waiting, delivered %d, acknowledged %d, paused %v, %s\n", on.consumer,
			info.NumPending, info.NumAckPending, info.NumWaiting, info.Delivered.Stream, info.AckFloor.Stream, info.Paused, config)
	}
	return all
}

// forbidden are the subjects that a subscriber must not publish to; ack is that
// of a message which the victim holds.
func forbidden(ack string) []string {
	const stream = events.StreamEvents
	_, place, _ := strings.Cut(ack, "$JS.ACK.")
	subjects := []string{
		ack, "$JS.ACK._.ACCOUNT." + place, "$JS.ACK.LOGOUT_REQUESTS.revoker.1.1.1.1.0", "$JS.ACK._.ACCOUNT.LOGOUT_REQUESTS.revoker.1.1.1.1.0",
		"$JS.ACK.LOGOUT_REQUESTS.revoker.LOGOUT_EVENTS.attacker.1.1.0",
		"$JS.API.CONSUMER.MSG.NEXT." + stream + ".victim", "$JS.API.CONSUMER.INFO." + stream + ".victim",
		"$JS.API.CONSUMER.MSG.NEXT.LOGOUT_REQUESTS.revoker",
		"$JS.API.CONSUMER.LIST." + stream, "$JS.API.CONSUMER.NAMES." + stream, "$JS.API.CONSUMER.CREATE." + stream,
		"$JS.API.INFO", "$JS.API.STREAM.LIST", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.CREATE.X", "$JS.API.STREAM.RESTORE.X",
		"$JS.API.META.LEADER.STEPDOWN", "$JS.API.ACCOUNT.PURGE.LOGOUTD", "$JS.API.SERVER.REMOVE", "$JS.API.STREAM.MSG.GET." + stream,
		"$JS.API.DIRECT.GET." + stream + ".logout.events.user.revoked",
		"$JS.FC." + stream + ".victim.x", "$JS.EVENT.ADVISORY.X", "$SYS.REQ.SERVER.PING", "$SYS.REQ.USER.INFO",
		messages.SubjectRequests, messages.SubjectTask("http", "http"), events.SubjectRevoked("user"), events.SubjectLive + "user.revoked",
		"logout.failed.http.x", "logout.audit.login", "$KV.logoutd_tokens.x", "$KV.logoutd_subscribers.x", "$KV.logoutd_jobs.x",
		"_INBOX.victims.one", "_INBOX_admin.x", "_INBOX_worker.x", "_R_.x",
	}
	for _, call := range []string{"CREATE", "DURABLE.CREATE", "DELETE", "PAUSE", "UNPIN", "RESET", "LEADER.STEPDOWN"} {
		for _, consumer := range []string{"victim", "attacker", "new"} {
			subjects = append(subjects, "$JS.API.CONSUMER."+call+"."+stream+"."+consumer)
		}
		subjects = append(subjects, "$JS.API.CONSUMER."+call+".LOGOUT_REQUESTS.revoker")
	}
	for _, consumer := range []string{"victim", "attacker", "new"} {
		subjects = append(subjects, "$JS.API.CONSUMER.CREATE."+stream+"."+consumer+".logout.events.user.revoked")
	}
	for _, call := range []string{"INFO", "UPDATE", "PURGE", "DELETE", "MSG.DELETE", "SNAPSHOT", "LEADER.STEPDOWN", "PEER.REMOVE"} {
		for _, name := range []string{stream, messages.StreamRequests, messages.StreamAudit, "KV_logoutd_subscribers"} {
			subjects = append(subjects, "$JS.API.STREAM."+call+"."+name)
		}
	}
	for _, name := range []string{messages.StreamRequests, messages.StreamTasks, messages.StreamFailed, messages.StreamAudit, "KV_logoutd_subscribers", "KV_logoutd_tokens"} {
		subjects = append(subjects, "$JS.API.DIRECT.GET."+name, "$JS.API.STREAM.MSG.GET."+name)
	}
	return subjects
}

// bodyFor returns a body with which the server would do what the subject says.
func bodyFor(subject string) []byte {
	config := `{"durable_name":"%s","ack_policy":"explicit","filter_subject":"logout.events.nothing"}`
	name := subject[strings.LastIndex(subject, ".")+1:]
	switch {
	case strings.Contains(subject, ".CREATE.LOGOUT"):
		return fmt.Appendf(nil, `{"stream_name":"LOGOUT_EVENTS","config":`+config+`}`, strings.TrimSuffix(name, "revoked"))
	case strings.Contains(subject, "GET."):
		return []byte(`{"seq":1}`)
	case strings.Contains(subject, "PAUSE"):
		return []byte(`{"pause_until":"2099-01-01T00:00:00Z"}`)
	case strings.Contains(subject, "STREAM.UPDATE"):
		return []byte(`{"name":"LOGOUT_EVENTS","subjects":["logout.events.>"],"storage":"file","max_age":1000000000}`)
	}
	return nil
}

// publishEverywhere publishes to what is forbidden, tries to make 1,000
// consumers with metadata and one that pushes, and returns how many publishes
// were refused.
func (a arena) publishEverywhere(t *testing.T, attacker *nats.Conn, ack string) (refused int) {
	t.Helper()
	violations := make(chan error, 10_000)
	attacker.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { violations <- err })
	for _, subject := range forbidden(ack) {
		if err := attacker.PublishRequest(subject, "_INBOX.attacks.x", bodyFor(subject)); err != nil {
			t.Fatal(err)
		}
	}
	metadata := strings.Repeat("x", 3000)
	for n := range 1000 {
		config := fmt.Sprintf(`{"stream_name":"LOGOUT_EVENTS","config":{"durable_name":"c%d","ack_policy":"explicit","metadata":{"a":%q}}}`, n, metadata)
		if n == 0 {
			config = `{"stream_name":"LOGOUT_EVENTS","config":{"durable_name":"c0","deliver_subject":"logout.requests","ack_policy":"none"}}`
		}
		if err := attacker.PublishRequest(fmt.Sprint("$JS.API.CONSUMER.DURABLE.CREATE.LOGOUT_EVENTS.c", n), "_INBOX.attacks.x", []byte(config)); err != nil {
			t.Fatal(err)
		}
	}
	if err := attacker.FlushTimeout(10 * time.Second); err != nil {
		t.Fatal(err)
	}
	for wait := time.After(10 * time.Second); refused < len(forbidden(ack))+1000; {
		select {
		case err := <-violations:
			if strings.Contains(err.Error(), "Permissions Violation for Publish") {
				refused++
			}
		case <-wait:
			return refused
		}
	}
	return refused
}

// subscribeEverywhere subscribes to what is forbidden.
func (a arena) subscribeEverywhere(t *testing.T) {
	t.Helper()
	for _, subject := range []string{
		">", "*", "$JS.>", "$JS.API.>", "$JS.ACK.>", "logout.>", "logout.events.>", "logout.requests", "logout.audit.>", "logout.*.user.revoked",
		"$KV.>", "$SYS.>", "_INBOX_admin.>", "_INBOX_logoutd.>", "_INBOX_worker.>", "_R_.>", "*.>",
	} {
		refused := make(chan error, 10)
		conn := subscriberConn(t, a.attacker, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
		if _, err := conn.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-refused:
			if !strings.Contains(err.Error(), "Permissions Violation for Subscription") {
				t.Errorf("subscribing to %s: %v", subject, err)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("subscribing to %s is not refused", subject)
		}
		conn.Close()
	}
}

// replyEverywhere makes requests that are allowed, whose answers are to go
// where the attacker must not publish.
func (a arena) replyEverywhere(t *testing.T, attacker *nats.Conn, ack string) {
	t.Helper()
	for _, reply := range slices.Concat(forbidden(ack), []string{"_INBOX.victims.forged", "_INBOX_logoutd.x"}) {
		conn := attacker
		if strings.HasPrefix(reply, "$JS.ACK.") || strings.HasPrefix(reply, "_R_.") {
			conn = subscriberConn(t, a.attacker) // the server closes it
		}
		for _, r := range []struct{ subject, body string }{
			{"$JS.API.DIRECT.GET.LOGOUT_EVENTS", `{"seq":99}`}, // answered with an empty body
			{"$JS.API.DIRECT.GET.LOGOUT_EVENTS", ``},
			{"$JS.API.DIRECT.GET.LOGOUT_EVENTS", `{"seq":1}`},
			{"$JS.API.DIRECT.GET.LOGOUT_EVENTS", `{"seq":1,"batch":100}`},
			{"$JS.API.DIRECT.GET.LOGOUT_EVENTS", `{"multi_last":["logout.events.>"],"batch":100}`},
			{"$JS.API.CONSUMER.INFO.LOGOUT_EVENTS.attacker", ``},
			{"$JS.API.CONSUMER.MSG.NEXT.LOGOUT_EVENTS.attacker", `{"batch":1,"no_wait":true}`},
			{"$JS.ACK.LOGOUT_EVENTS.attacker.1.1.1.1.0", `+NXT {"batch":1,"no_wait":true}`},
		} {
			_ = conn.PublishRequest(r.subject, reply, []byte(r.body))
		}
		_ = conn.FlushTimeout(5 * time.Second)
	}
	again := subscriberConn(t, a.attacker)
	if _, err := again.Request("$JS.API.CONSUMER.INFO.LOGOUT_EVENTS.attacker", nil, 5*time.Second); err != nil {
		t.Error(err)
	}
}
