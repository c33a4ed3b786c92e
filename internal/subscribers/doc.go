// Package subscribers is who reads the public events: it creates and revokes
// subscribers, each with a password and durable consumers of its own.
//
// The records lie in the broker, in the KV bucket logoutd_subscribers, with a
// bcrypt hash of the password. The embedded broker lets in whom they name. A
// nats-server has its users in a configuration file: there the operator adds
// the account that [Subscribers.Create] returns, and removes it again.
//
// The package imports events, and knows nothing of HTTP.
package subscribers
