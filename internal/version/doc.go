// Package version says which build of logoutd this is.
//
// It imports nothing of logoutd.
package version
