// Package embedded runs the broker in the process: a nats-server with
// JetStream on files that syncs every message to disk before it acknowledges
// it.
//
// It lets nobody in without a credential. The process itself connects in
// memory; a [broker.Subscriber] has a password and an account of its own, in which it
// pulls from its durable consumers on LOGOUT_EVENTS, reads that stream by direct
// get, follows the live events, and can do nothing else.
package embedded
