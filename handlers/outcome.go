package handlers

import "net/http"

// outcome is what became of a logout. Where it had several candidates, the
// highest is that of the whole.
type outcome int

const (
	outcomeNoCredential outcome = iota // nothing in the request names a session
	outcomeUnknown                     // the store knows none of the sessions: nothing to do
	outcomeAccepted                    // on disk
	outcomeRefused                     // by cookie, of a browser, without its CSRF token
	outcomeUnavailable                 // could not be made durable
	outcomeInvalid                     // malformed, or another method
	outcomeCrossSite                   // by cookie, of another site's page
	outcomePrefetch                    // nobody has asked for it yet
)

var outcomeNames = [...]string{"no_credential", "unknown", "accepted", "refused", "unavailable", "invalid", "cross_site", "prefetch"}

func (o outcome) String() string { return outcomeNames[o] }

// fault returns how an outcome of accept fails in every dialect, or nil.
func (o outcome) fault() *fault {
	switch o {
	case outcomeRefused:
		return &fault{http.StatusForbidden, "The header X-CSRF-TOKEN is missing or does not belong to this session."}
	case outcomeUnavailable:
		return &fault{http.StatusServiceUnavailable, "The logout could not be accepted. Please try again."}
	default:
		return nil
	}
}
