// Package broker connects logoutd to NATS JetStream. It sets the streams up,
// publishes to them durably and in batches, and reads what is pending, the
// clocks, and what is paused.
//
// [Subscriber] writes the accounts of services that read the public events.
// broker/embedded runs the broker in the process.
package broker
