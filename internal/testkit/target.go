package testkit

import (
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/logoutd/logoutd/workers/delivery"
)

// Target returns a target of a kind with settings in YAML.
func Target(t testing.TB, kind delivery.Kind, settings string) delivery.Configured {
	t.Helper()
	common, target, err := kind.Configure(func(into any) error { return yaml.UnmarshalWithOptions([]byte(settings), into, yaml.Strict()) })
	if err != nil {
		t.Fatal(err)
	}
	return delivery.Configured{Settings: common, Kind: kind, Target: target}
}
