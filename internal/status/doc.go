// Package status answers the question that operators are asked most: did this
// user really get logged out?
//
// It owns no data and keeps no index of the logouts there ever were. It looks
// where they leave traces: the store (tombstones and cutoffs), the dead letters
// (internal/deadletters), the public events of the last 72 hours and the requests
// that are still pending. Each look is bounded, so an answer may be that nothing
// is known; [Status] says in its Note what that means. It knows nothing of HTTP.
package status
