// Package delivery tells outside systems of logouts: the one engine for all
// kinds of target.
//
// A [Kind] says what to send for a revocation, sends it, and says whether it
// became obsolete; the kinds are the packages under workers/targets. The engine
// knows no kind by name. Each configured target has a [Worker] with its own
// durable consumer, so that a slow target delays only itself. The worker pulls
// deliveries, limits their rate and concurrency, retries what failed with a
// growing delay, and records a dead letter when it gives up.
//
// A circuit breaker tells the failures of a target from those of a message. A
// failure counts against a message only if the target has answered another
// message since this one failed before; from then on it is to blame for its
// failures for as long as no other message fails. Until then a failure may be the
// target's. Five such failures in a row open the breaker, and so does one that
// blames the target itself: it cannot be reached, or refuses our credentials.
// While the breaker is open nothing is pulled but one message at a time as a
// probe, and no failure is counted. So an outage uses up no attempts, whether
// four deliveries wait or a million.
package delivery
