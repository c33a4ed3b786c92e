// Package damage notices when the broker has lost a stream: another one stands
// in its place, or it is shorter than it was. What lay on it is gone, accepted
// logouts included, and logoutd cannot restore it; an operator has to know.
//
// It owns a file in the data directory, which survives the loss of the broker's
// files: the identity of each stream (the time of its creation) and how far it
// was. Each process of the admin role has a file of its own, and reports what it
// has found until an operator acknowledges it, in this process or in another
// one: the key-value bucket logoutd_damage has a key for each stream, up to
// which position its damage is acknowledged. An acknowledgement during an outage
// of the broker counts at once in its own process, and is told to the others
// when the broker is back.
//
// It imports package broker, and nothing else of logoutd.
package damage
