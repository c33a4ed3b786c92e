package embedded

import (
	"crypto/sha256"
	"crypto/subtle"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/logoutd/logoutd/events"
)

// internalUser is the process itself.
const internalUser = "logoutd"

// door decides who comes in and what they may do.
type door struct {
	internal   string
	subscriber string
}

// Check implements [server.Authentication]. A subscriber shows the token as a
// token, or as the password of any user.
func (d door) Check(client server.ClientAuthentication) bool {
	opts := client.GetOpts()
	if opts.Username == internalUser && equal(opts.Password, d.internal) {
		client.RegisterUser(&server.User{Username: internalUser})
		return true
	}
	if d.subscriber == "" || !equal(opts.Token, d.subscriber) && !equal(opts.Password, d.subscriber) {
		return false
	}
	client.RegisterUser(&server.User{Username: "subscriber", Permissions: subscriberPermissions()})
	return true
}

func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// subscriberPermissions is what reading LOGOUT_EVENTS through durable or
// ephemeral pull consumers takes. The process's own inboxes have another
// prefix, so that subscribers cannot listen to them.
func subscriberPermissions() *server.Permissions {
	const stream = events.StreamEvents
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			"$JS.API.INFO",
			"$JS.API.STREAM.INFO." + stream,
			"$JS.API.CONSUMER.CREATE." + stream + ".>",
			"$JS.API.CONSUMER.DURABLE.CREATE." + stream + ".>",
			"$JS.API.CONSUMER.INFO." + stream + ".>",
			"$JS.API.CONSUMER.DELETE." + stream + ".>",
			"$JS.API.CONSUMER.LIST." + stream,
			"$JS.API.CONSUMER.NAMES." + stream,
			"$JS.API.CONSUMER.MSG.NEXT." + stream + ".>",
			"$JS.API.DIRECT.GET." + stream,
			"$JS.API.DIRECT.GET." + stream + ".>",
			"$JS.API.STREAM.MSG.GET." + stream,
			"$JS.ACK." + stream + ".>",
			"$JS.ACK.*.*." + stream + ".>",
			"$JS.FC." + stream + ".>",
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{"_INBOX.>"}},
	}
}
