// Package deliveries is what operators do with the deliveries that wait for one
// target: discard them, or hand them to the target of the same name of another
// kind.
package deliveries
