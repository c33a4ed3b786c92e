// Package embedded runs the broker in the process: a nats-server with
// JetStream on files that syncs every message to disk before it acknowledges
// it.
//
// It lets nobody in without a credential. The process itself connects in
// memory; everybody else needs the subscriber's token, which reads the public
// stream LOGOUT_EVENTS through pull consumers and can do nothing else.
// Subscribers are in an account of their own, so push consumers (the old
// JetStream Subscribe) deliver nothing to them.
//
// On Linux, batches of messages lie in /dev/shm until they are committed to
// their stream, some hundred KiB at a time: see [Broker.BatchesToMemory].
package embedded
