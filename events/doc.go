// Package events is what logoutd says on the wire: the events, the streams and
// subjects they travel on, the publisher that puts them there, and the dead
// letters.
//
// Every message is a CloudEvents 1.0 event in structured JSON, or a batch of
// them, with the event's id as its JetStream message id and the W3C trace
// context in the header traceparent. What subscribers may rely on is
// [Revoked] and [Failed], on the stream [StreamEvents] and, as they happen,
// under [SubjectLive]; everything else is private to logoutd.
//
// What has happened to a message before travels in it ([History]): each
// delivery that failed, and who has replayed it. One that never failed holds
// nothing of it. So a dead letter that is replayed and fails again comes back
// with all that is behind it, whichever process works on it.
//
// The package imports nothing else of logoutd, so that a subscriber that uses
// its types gets nats.go and little more. internal/broker/embedded runs the broker in
// the process, events/eventstest does the same for tests.
package events
