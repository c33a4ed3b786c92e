// Package outcomes finds out what became of work that was handed to the
// workers: which requests and deliveries are still waiting, and at which
// targets, and which became dead letters since a [Mark].
//
// It reads the streams, keeps nothing, and knows of jobs only what
// [jobs.Follower] asks for.
package outcomes
