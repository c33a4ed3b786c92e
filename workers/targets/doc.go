// Package targets lists the kinds of target. Each kind is a package below it;
// nothing else of logoutd names a kind.
package targets
