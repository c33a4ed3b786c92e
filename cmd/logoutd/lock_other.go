//go:build !unix

package main

// lockDataDir does nothing: only Unix has locks that end with the process.
func lockDataDir(string) (unlock func(), err error) { return func() {}, nil }
