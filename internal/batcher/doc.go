// Package batcher lets concurrent callers share an fsync, a round trip or a
// transaction: items that come while a batch is under way form the next one.
// There is no timer, so a lone caller never waits for others.
//
// It imports nothing of logoutd.
package batcher
