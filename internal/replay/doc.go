// Package replay is what operators do with dead letters: a dry run over a
// selection, which says what is eligible and what is not and why, and the work
// of replaying or discarding exactly that set as a job.
//
// It decides; finding letters is the part of letters, running the job that of
// jobs, and the letters themselves that of events. It knows nothing of HTTP.
package replay
