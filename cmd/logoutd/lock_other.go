//go:build !unix

package main

// lockDataDir does nothing: only Unix releases such locks when the process ends.
func lockDataDir(string) (unlock func(), err error) { return func() {}, nil }
