package main

import (
	"fmt"
	"runtime/debug"
)

// release is set by the linker for a release build.
var release = ""

// version returns the release, or what the build knows of its source.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// versionCmd prints the version.
type versionCmd struct{}

// Run prints one line.
func (versionCmd) Run() error {
	fmt.Println("logoutd", version())
	return nil
}
