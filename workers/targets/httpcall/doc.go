// Package httpcall is what the kinds of target that speak HTTP share: one request
// with bounds on the answer, what its status says of the target, and a mask that
// keeps credentials out of what operators see.
package httpcall
