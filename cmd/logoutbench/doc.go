// Command logoutbench measures logoutd: one that runs elsewhere, or one that
// it starts itself, beside baselines of the same run on the same machine.
//
//	logoutbench run     loads a deployment: closed loop, or open loop with --rate
//	logoutbench suite   measures all figures that the project has targets for
//	logoutbench soak    loads for ten minutes and watches the memory
//
// In a closed loop each connection sends its next request when it has the
// answer to the one before. In an open loop requests are due at a constant
// rate, whatever becomes of those before, and latency counts from when a
// request was due: a server that stalls delays all that wait for it, and each
// of them is counted (coordinated omission).
//
// Two baselines are built in: bare, a net/http handler that answers 204 and
// does nothing else, and inline, the usual hand-written handler that does all
// the deletes in Redis itself, one after the other, before it answers.
//
// The package imports events for what lies on the streams, store for the ids
// of sessions, and workers for the client of push providers. Everything else
// goes through the listeners of the program that is measured.
package main
