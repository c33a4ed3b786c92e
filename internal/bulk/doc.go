// Package bulk revokes much at once, for incidents: everybody of an app or a
// tenant, a list of users, or everything that was authenticated before a time.
//
// It owns the dry run, which goes through the store once and writes down whom
// it would concern, and the work of the job that follows: fences and logout
// requests, the same that an operator makes one at a time. It knows of jobs
// only what internal/jobs offers, nothing of HTTP, and imports no other
// package of operations.
package bulk
