// Package events is what subscribers to logoutd read: the public events
// [Revoked] and [Failed], and the stream and subjects they are published on.
//
// Every message is a CloudEvents 1.0 event in structured JSON, with the event's
// id as its JetStream message id and the W3C trace context in the header
// traceparent. New optional fields may come; the meaning of existing ones does
// not change.
//
// The package imports nothing else of logoutd. events/eventstest starts a broker
// for tests.
package events
