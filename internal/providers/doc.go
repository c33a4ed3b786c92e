// Package providers knows which push providers are configured, and notes the
// others: a push registration that names one is deleted when its user logs out,
// and nobody is told.
//
// It imports nothing of logoutd.
package providers
