// Package workers enforces logouts: the revoker does the store's part of each
// request, plans what each target has to be told, and publishes the public event.
// Package delivery tells the targets.
//
// # Failures
//
// A failure says of what kind it is ([delivery.Failure]). One that belongs to a
// message is added to that message's history; the message is published again
// with a time before which it is not due, and becomes a dead letter when its
// retries have waited long enough ([delivery.Retry]), or at once if trying again
// is of no use. A failure of the store or the broker as a whole is not counted:
// the revoker pauses, announces that to all processes, probes, and resumes.
//
// # Crashes
//
// The work of a message is idempotent, and a message is acknowledged after all
// its consequences are on disk, so a crash at any point only repeats work. A
// batch that is delivered again may have crashed the process: it is split into
// halves, each a message of its own, until the request that crashes it stands
// alone and becomes a dead letter after a few deliveries.
//
// The package must not import handlers.
package workers
