package version

import (
	"runtime/debug"
	"strings"
)

// release is set by the linker for a release build:
// -X github.com/logoutd/logoutd/internal/version.release=v1.2.3.
var release = ""

// commitLength is how much of a commit's hash is shown: what git itself shows
// in pseudo-versions.
const commitLength = 12

// Release returns the version without its commit, "devel" where it has none.
func Release() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

// Commit returns the commit that the program was built from, followed by
// "modified" where the checkout had changes, or "unknown".
func Commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	commit, modified := "unknown", ""
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision" && setting.Value != "":
			commit = setting.Value[:min(len(setting.Value), commitLength)]
		case setting.Key == "vcs.modified" && setting.Value == "true":
			modified = ", modified"
		}
	}
	return commit + modified
}

// String returns version and commit.
func String() string { return Release() + " (commit " + Commit() + ")" }

// UserAgent returns what requests of this build carry (RFC 9110, section
// 10.1.5).
func UserAgent() string {
	return "logoutd/" + strings.ReplaceAll(Release(), " ", "_") + " (commit " + Commit() + ")"
}
