// Package damage notices when the broker has lost a stream: another one stands
// in its place, or it is shorter than it was. What lay on it is gone, accepted
// logouts included, and logoutd cannot restore it; an operator has to know.
//
// It owns a file in the data directory, which survives the loss of the broker's
// files: the identity of each stream (the time of its creation) and how far it
// was. What was found is said until an operator acknowledges it. Each process of
// the admin role has a file, and findings, of its own.
//
// It imports events, and nothing else of logoutd.
package damage
