// Package jobs runs what operators start: long work on an exact set of items,
// prepared by a dry run, at a limited rate, with progress, pause, resume and
// cancel, by whichever process is there.
//
// A dry run stores its set as a [Plan]; starting the plan's token makes it a
// [Job], once. Both are one record in the broker, changed by compare-and-set,
// so that all processes see the same. A process works on a job while it holds
// its lease, which is the owner in the record together with a revision that
// goes on changing: a process that sees the same revision for [LeaseTimeout]
// on its own clock may take the job over: clocks need not agree.
//
// The position is written after the work. Whoever takes over a job whose owner
// did not come back does the items at the edge again: [Work] is idempotent.
//
// It knows nothing of what an item is, and imports nothing of ours but the
// errors of events and store.
package jobs
