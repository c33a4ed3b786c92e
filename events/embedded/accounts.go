package embedded

import (
	"fmt"
	"strings"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/logoutd/logoutd/events"
)

// The accounts of the broker. The streams are the process's. Subscribers have
// an account of their own, because permissions cannot contain them: they bind
// the subject of a request, not its reply, and the broker would answer to any
// subject of the same account, be it one that purges a stream.
const (
	accountInternal    = "LOGOUTD"
	accountSubscribers = "SUBSCRIBERS"
)

// responseThreshold is how long the broker keeps the way back of a pull
// without a message or heartbeat.
const responseThreshold = "10m"

// service is a part of JetStream's API that subscribers are let through to.
type service struct {
	subject  string
	response string // singleton or stream
}

// services is what reading LOGOUT_EVENTS through durable or ephemeral pull
// consumers takes.
func services() []service {
	const stream = events.StreamEvents
	return []service{
		{"$JS.API.INFO", "singleton"},
		{"$JS.API.STREAM.INFO." + stream, "singleton"},
		{"$JS.API.STREAM.MSG.GET." + stream, "singleton"},
		{"$JS.API.DIRECT.GET." + stream, "stream"},
		{"$JS.API.DIRECT.GET." + stream + ".>", "stream"},
		{"$JS.API.CONSUMER.INFO." + stream + ".>", "singleton"},
		{"$JS.API.CONSUMER.DELETE." + stream + ".>", "singleton"},
		{"$JS.API.CONSUMER.LIST." + stream, "singleton"},
		{"$JS.API.CONSUMER.NAMES." + stream, "singleton"},
		{"$JS.API.CONSUMER.MSG.NEXT." + stream + ".>", "stream"},
		{"$JS.ACK." + stream + ".>", "singleton"},
	}
}

// accounts returns the accounts in the broker's configuration language.
func accounts() string {
	var exports, imports strings.Builder
	for _, s := range services() {
		threshold := ""
		if s.response == "stream" {
			threshold = fmt.Sprintf(", threshold: %q", responseThreshold)
		}
		fmt.Fprintf(&exports, "{service: %q, response: %s%s, accounts: [%s]}\n",
			s.subject, s.response, threshold, accountSubscribers)
		fmt.Fprintf(&imports, "{service: {account: %s, subject: %q}}\n", accountInternal, s.subject)
	}
	for _, subject := range guarded() {
		fmt.Fprintf(&exports, "{service: %q, response: singleton, accounts: [%s]}\n", guardPrefix+subject, accountSubscribers)
		fmt.Fprintf(&imports, "{service: {account: %s, subject: %q}, to: %q}\n",
			accountInternal, guardPrefix+subject, apiPrefix+subject)
	}
	return fmt.Sprintf("accounts {\n%s {jetstream: enabled, exports: [\n%s]}\n%s {imports: [\n%s]}\n}\n",
		accountInternal, &exports, accountSubscribers, &imports)
}

// subscriberPermissions keeps subscribers from talking to each other.
func subscriberPermissions() *server.Permissions {
	allowed := make([]string, 0, len(services()))
	for _, s := range services() {
		allowed = append(allowed, s.subject)
	}
	for _, subject := range guarded() {
		allowed = append(allowed, apiPrefix+subject)
	}
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: allowed},
		Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
	}
}
