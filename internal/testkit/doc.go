// Package testkit is what the tests of several packages share: sample messages,
// and a way to step between a publisher and the broker.
package testkit
