package embedded

import (
	"crypto/sha256"
	"crypto/subtle"

	"github.com/nats-io/nats-server/v2/server"
)

// internalUser is the process itself.
const internalUser = "logoutd"

// door decides who comes in and what they may do.
type door struct {
	internal   string // password of the process itself
	subscriber string // token of subscribers; empty: they stay outside
	// account finds an account by its name.
	account func(name string) (*server.Account, error)
}

// Check implements [server.Authentication]. A subscriber shows the token as a
// token, or as the password of any user.
func (d *door) Check(client server.ClientAuthentication) bool {
	opts := client.GetOpts()
	if opts.Username == internalUser && equal(opts.Password, d.internal) {
		return d.admit(client, accountInternal, &server.User{Username: internalUser})
	}
	if d.subscriber == "" || !equal(opts.Token, d.subscriber) && !equal(opts.Password, d.subscriber) {
		return false
	}
	return d.admit(client, accountSubscribers,
		&server.User{Username: "subscriber", Permissions: subscriberPermissions()})
}

func (d *door) admit(client server.ClientAuthentication, account string, user *server.User) bool {
	var err error
	if user.Account, err = d.account(account); err != nil {
		return false
	}
	client.RegisterUser(user)
	return true
}

func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
