// Package workers makes logouts true everywhere: the revoker does the store's
// part of each request, and one target consumer for each outside system tells
// it, with retries until it is done or an operator has been told.
//
// # Failures
//
// Whoever fails says what kind of failure it was ([delivery.Failure]). One that
// belongs to a message is put into that message's history; the message is
// published again with a time before which it is not due, and becomes a dead
// letter when its retries have waited long enough ([Retry]) or at once if
// trying again is of no use. One that belongs to the store or to a target as
// a whole is not counted: the consumer pauses, tells all processes so, probes,
// and resumes.
//
// # Crashes
//
// The work of a message is idempotent, and a message is acknowledged after
// everything that follows from it is on disk, so a crash at any point only
// repeats work. A batch that is delivered again may have crashed the process:
// it is split into halves, each a message of its own, until the request that
// does it stands alone and becomes a dead letter after a few deliveries.
//
// The package knows store and events; it must not import handlers.
package workers
