// Package messages is what logoutd publishes for itself: logout requests, the
// tasks of targets, dead letters and audit entries, with the streams and
// subjects they are published on.
//
// Every message is a CloudEvents 1.0 event in structured JSON, or a batch of
// them. A message carries its own [History]: each delivery that failed, and who
// replayed it. So a dead letter that is replayed and fails again still has its
// whole past, whichever process works on it.
//
// The package encodes and decodes. Package broker publishes, package
// deadletters keeps what was given up.
package messages
