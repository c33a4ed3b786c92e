package embedded

import (
	"fmt"
	"strings"

	"github.com/logoutd/logoutd/internal/broker"
)

// internalUser is the process itself.
const internalUser = "logoutd"

// accounts returns the accounts of the broker in its configuration language:
// the process's, whose password has the given hash, and those of subscribers.
func accounts(passwordHash string, subscribers []broker.Subscriber) string {
	var others strings.Builder
	for _, s := range subscribers {
		others.WriteString(s.Account())
	}
	return fmt.Sprintf(`accounts {
%s {
  jetstream: enabled
  users: [{user: %q, password: %q}]
  exports: [
%s]}
%s}
`, broker.AccountInternal, internalUser, passwordHash, broker.ExportsToSubscribers(), &others)
}
