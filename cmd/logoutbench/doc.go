// Command logoutbench measures logoutd: a deployment of yours, or one that it
// starts itself, beside baselines of the same run on the same machine.
//
//	logoutbench run     loads a deployment: closed loop, or open loop with --rate
//	logoutbench suite   measures the figures of docs/benchmarks.md
//
// In a closed loop each connection sends its next request when it has the
// answer to the one before. In an open loop requests are due at a constant
// rate, whatever becomes of those before, and latency counts from when a
// request was due, so that a server that stalls is charged for every request
// that waited (coordinated omission).
//
// The headline is complete: logouts accepted and fully revoked, divided by the
// time until the backlog is gone. Two baselines are built in: bare, a net/http
// handler that answers 204 and does nothing else, and inline, the usual
// hand-written handler that deletes everything in Redis before it answers.
// Each runs before and after what it is compared with.
//
// logoutbench speaks to the program under test through its listeners. It
// imports events for the messages on the streams, store for session ids, and
// workers for the client of push providers. It runs on Linux.
package main
