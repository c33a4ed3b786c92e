package main

import (
	"fmt"

	"github.com/logoutd/logoutd/internal/version"
)

// versionCmd prints the version.
type versionCmd struct{}

// Run prints one line.
func (versionCmd) Run() error {
	fmt.Println("logoutd", version.String())
	return nil
}
