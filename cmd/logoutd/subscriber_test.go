package main

import (
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
)

// natsUser are the options of a user of deployments/nats/nats.conf.
func natsUser(name string) []nats.Option {
	refused := func(*nats.Conn, *nats.Subscription, error) {} // by itself nats.go prints it
	return []nats.Option{nats.UserInfo(name, passwordOf(name)), nats.ErrorHandler(refused), nats.CustomInboxPrefix("_INBOX_" + name)}
}

// newSubscriber is what logoutd subscribers create prints.
type newSubscriber struct {
	Name      string
	Password  string
	Consumers []string
	Account   string `json:"nats_account"`
}

func (i *instance) subscribe(args ...string) (s newSubscriber) {
	i.t.Helper()
	printed := i.mustCLI(append([]string{"subscribers", "create", "--output", "json"}, args...)...)
	if err := json.Unmarshal([]byte(printed), &s); err != nil {
		i.t.Fatal(err)
	}
	return s
}

// natsURL is where the embedded broker serves subscribers.
func (i *instance) natsURL(s newSubscriber) string {
	address := strings.Fields(strings.SplitN(i.printed("broker"), "): nats://", 2)[1])[0]
	return "nats://" + s.Name + ":" + s.Password + "@" + strings.TrimSuffix(address, ",")
}

// addAccount adds to the accounts of the configuration, as an operator does,
// and reloads it twice.
func (n *natsServer) addAccount(t *testing.T, account string) {
	t.Helper()
	n.configure(t, func(text string) string {
		end := strings.LastIndex(text, "}")
		return text[:end] + account + text[end:]
	})
	n.reload(t)
	n.reload(t)
}

// removeAccount removes what addAccount added.
func (n *natsServer) removeAccount(t *testing.T, account string) {
	t.Helper()
	n.configure(t, func(text string) string { return strings.Replace(text, account, "", 1) })
	n.reload(t)
}

func (n *natsServer) configure(t *testing.T, change func(string) string) {
	t.Helper()
	file := n.args[1]
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(change(string(text))), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (n *natsServer) reload(t *testing.T) {
	t.Helper()
	const reloaded = "Reloaded server configuration"
	before := strings.Count(n.stderr.String(), reloaded)
	n.signal(syscall.SIGHUP)
	n.await("reload", func() bool { return strings.Count(n.stderr.String(), reloaded) > before })
}

// TestDeployedSubscriber: what create prints, added to the deployed
// configuration, lets a subscriber read its events; and what revoke says is so.
func TestDeployedSubscriber(t *testing.T) {
	t.Parallel()
	d := deploy(t, "")
	who := newLogin("ada", "one")
	d.admin.mustRegister(who)
	d.admin.mustLogOut("sap_v1", who.session)
	d.worker.awaitIdle(1)
	shop := d.admin.subscribe("shop")
	if strings.Contains(shop.Account, shop.Password) {
		t.Error("the account holds the password")
	}
	natsURL := d.nats.urlFor("shop", shop.Password)
	if conn, err := nats.Connect(natsURL); err == nil {
		conn.Close()
		t.Error("NATS lets in who is not in its configuration")
	}
	d.nats.addAccount(t, shop.Account)
	conn := subscriberConn(t, natsURL, nats.NoReconnect())
	expectEvent(t, conn, "shop", who)
	live := listenTo(t, conn, events.SubjectLive+">")
	later := newLogin("bob", "two")
	d.admin.mustRegister(later)
	d.admin.mustLogOut("sap_v1", later.session)
	if msg, err := live.NextMsg(10 * time.Second); err != nil || msg.Header.Get(jetstream.SequenceHeader) == "" {
		t.Errorf("live: %v, %v", msg, err)
	}
	_, said, code := d.admin.cli("", "subscribers", "revoke", "shop", "--yes")
	if code != exitOK || !strings.Contains(said, `until you remove the account "SUBSCRIBER_shop" from nats.conf`) {
		t.Errorf("revoke: %d %s", code, said)
	}
	if _, err := conn.Request("$JS.API.CONSUMER.INFO.LOGOUT_EVENTS.shop", nil, 5*time.Second); err == nil {
		if js, _ := jetstream.New(conn); js != nil {
			if _, err := js.Consumer(t.Context(), events.StreamEvents, "shop"); err == nil {
				t.Error("the consumer of a revoked subscriber is left")
			}
		}
	}
	d.nats.removeAccount(t, shop.Account)
	eventually(t, "the subscriber disconnected", conn.IsClosed)
	if conn, err := nats.Connect(natsURL); err == nil {
		conn.Close()
		t.Error("NATS lets in who was removed from its configuration")
	}
	d.expectRights(t)
}

// TestSubscribersOfEmbeddedBroker: create and revoke take effect at once, and
// who was created is let in after a restart.
func TestSubscribersOfEmbeddedBroker(t *testing.T) {
	t.Parallel()
	s := newSetup(t, "")
	i := s.start(t)
	who := newLogin("ada", "one")
	i.mustRegister(who)
	i.mustLogOut("sap_v1", who.session)
	i.awaitIdle(1)
	shop, other := i.subscribe("shop", "--consumers", "2"), i.subscribe("other")
	if shop.Account != "" || strings.Join(shop.Consumers, " ") != "shop_1 shop_2" {
		t.Errorf("%+v", shop)
	}
	expectEvent(t, subscriberConn(t, i.natsURL(other)), "other", who)
	conn := subscriberConn(t, i.natsURL(shop), nats.NoReconnect())
	expectEvent(t, conn, "shop_1", who)
	expectEvent(t, conn, "shop_2", who)
	if table := i.mustCLI("subscribers", "list"); !strings.Contains(table, "shop_1 shop_2") || strings.Contains(table, "logoutd_sub_") {
		t.Errorf("listed:\n%s", table)
	}
	i.mustCLI("subscribers", "revoke", "shop", "--yes")
	eventually(t, "the subscriber disconnected", conn.IsClosed)
	if _, _, code := i.cli("", "subscribers", "revoke", "shop", "--yes"); code != exitNothing {
		t.Errorf("revoking it again: exit code %d", code)
	}
	i.kill()
	again := s.start(t)
	if conn, err := nats.Connect(again.natsURL(shop)); err == nil {
		conn.Close()
		t.Error("the broker lets in who was revoked")
	}
	next := newLogin("bob", "two")
	again.mustRegister(next)
	again.mustLogOut("sap_v1", next.session)
	expectEvent(t, subscriberConn(t, again.natsURL(other)), "other", next)
	if audit := again.mustCLI("audit"); !strings.Contains(audit, "subscriber.create") || !strings.Contains(audit, "subscriber.revoke") {
		t.Errorf("audit log:\n%s", audit)
	}
}

// expectEvent reads the one event through a durable consumer, as the README
// shows it.
func expectEvent(t *testing.T, conn *nats.Conn, durable string, who login) {
	t.Helper()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	consumer, err := js.Consumer(t.Context(), events.StreamEvents, durable)
	if err != nil {
		t.Fatal(err)
	}
	msg, err := consumer.Next(jetstream.FetchMaxWait(10 * time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := msg.Headers().Get(nats.MsgIdHdr), messages.RequestID("session", who.id()); got != want {
		t.Errorf("event %s, want %s", got, want)
	}
	if err := msg.DoubleAck(t.Context()); err != nil {
		t.Error(err)
	}
}
