package broker

import (
	"fmt"
	"strings"

	"github.com/logoutd/logoutd/events"
)

// AccountInternal is the account of the broker that has the streams.
const AccountInternal = "LOGOUTD"

// Subscriber is a service that reads the public events with its own credential. It
// has its own account, because permissions alone cannot contain it: they restrict
// the subject of a request, but not its reply subject or body. In a shared account
// one subscriber could direct answers to another's consumer or inbox.
type Subscriber struct {
	Name string
	// PasswordHash is the bcrypt hash of the password.
	PasswordHash string
	// Consumers are the durable consumers on [StreamEvents] that it pulls
	// from and acknowledges to.
	Consumers []string
}

// SubscriberAccount returns the name of a subscriber's account.
func SubscriberAccount(subscriber string) string { return "SUBSCRIBER_" + subscriber }

// The bounds of a subscriber's account. What nats-server holds for a client is
// bounded for each connection (256 subscriptions of some 500 bytes; what the
// client does not read, up to max_pending), and the connections are bounded
// here: a service with 32 replicas.
const (
	maxConnections   = 32
	maxSubscriptions = 256
	maxRequest       = 4096 // bytes; a request to pull, read or acknowledge takes a few hundred
)

// service is a part of JetStream's API that accounts of subscribers can import.
type service struct {
	subject   string
	response  string // singleton or stream
	threshold string // of a stream: without an answer for that long, it ends
}

const infoSubject = "$JS.API.INFO"

// ExportsToSubscribers returns what the account of logoutd exports, in
// nats-server's configuration language. A subscriber's account imports those
// subjects only that name its consumers.
func ExportsToSubscribers() string {
	var exports strings.Builder
	for _, s := range exported() {
		threshold := ""
		if s.threshold != "" {
			threshold = fmt.Sprintf(", threshold: %q", s.threshold)
		}
		fmt.Fprintf(&exports, "{service: %q, response: %s%s}\n", s.subject, s.response, threshold)
	}
	fmt.Fprintf(&exports, "{stream: %q}\n", events.SubjectLive+">")
	return exports.String()
}

func exported() []service {
	const stream = events.StreamEvents
	return []service{
		// No client requests it, but an account without this import answers all of
		// JetStream's API itself, with an error (nats-server 2.15).
		{infoSubject, "singleton", ""},
		// The server answers a read at once.
		{"$JS.API.DIRECT.GET." + stream, "stream", "10s"},
		{"$JS.API.CONSUMER.INFO." + stream + ".*", "singleton", ""},
		// Clients ask for a heartbeat after 5 to 30 s.
		{"$JS.API.CONSUMER.MSG.NEXT." + stream + ".*", "stream", "2m"},
		{"$JS.ACK." + stream + ".*.>", "singleton", ""},
	}
}

// requests returns the subjects that the subscriber can publish to.
func (s Subscriber) requests() []string {
	const stream = events.StreamEvents
	subjects := []string{"$JS.API.DIRECT.GET." + stream}
	for _, consumer := range s.Consumers {
		subjects = append(subjects,
			"$JS.API.CONSUMER.INFO."+stream+"."+consumer,
			"$JS.API.CONSUMER.MSG.NEXT."+stream+"."+consumer,
			"$JS.ACK."+stream+"."+consumer+".>")
	}
	return subjects
}

// Account returns the subscriber's account in nats-server's configuration
// language, to stand in "accounts" beside the account of logoutd.
func (s Subscriber) Account() string {
	var allowed, imports strings.Builder
	fmt.Fprintf(&imports, "\n    {service: {account: %s, subject: %q}}", AccountInternal, infoSubject)
	for _, subject := range s.requests() {
		fmt.Fprintf(&allowed, "\n        %q", subject)
		fmt.Fprintf(&imports, "\n    {service: {account: %s, subject: %q}}", AccountInternal, subject)
	}
	return fmt.Sprintf(`%q {
  limits {max_connections: %d, max_subscriptions: %d, max_payload: %d}
  users: [{
    user: %q, password: %q
    permissions {
      publish: [%s
      ]
      subscribe: ["_INBOX.>", %q]
    }
  }]
  imports: [%s
    {stream: {account: %s, subject: %q}}
  ]
}
`, SubscriberAccount(s.Name), maxConnections, maxSubscriptions, maxRequest, s.Name, s.PasswordHash, &allowed,
		events.SubjectLive+">", &imports, AccountInternal, events.SubjectLive+">")
}
