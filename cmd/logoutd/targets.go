package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/workers/delivery"
	"github.com/logoutd/logoutd/workers/targets"
)

// targetNode is one entry of the setting targets. Its kind reads it.
type targetNode struct{ node ast.Node }

// UnmarshalYAML implements [yaml.NodeUnmarshaler].
func (t *targetNode) UnmarshalYAML(node ast.Node) error {
	t.node = node
	return nil
}

// configure returns the target, or an error with all faults.
func (t targetNode) configure() (delivery.Configured, error) {
	var entry struct {
		Kind string `yaml:"kind"`
	}
	if err := yaml.NodeToValue(t.node, &entry); err != nil {
		return delivery.Configured{}, withoutSource(err)
	}
	kind, known := kindOf(entry.Kind)
	if !known {
		return delivery.Configured{}, fmt.Errorf("kind: unknown kind %q: use one of %s", entry.Kind, strings.Join(kindNames(), ", "))
	}
	settings, target, err := kind.Configure(func(into any) error {
		if err := yaml.NodeToValue(t.node, into, yaml.Strict()); err != nil {
			return withoutSource(err)
		}
		return nil
	})
	return delivery.Configured{Settings: settings, Kind: kind, Target: target}, errors.Join(settings.Check(), err)
}

func kindOf(name string) (delivery.Kind, bool) {
	kinds := targets.Kinds()
	i := slices.IndexFunc(kinds, func(k delivery.Kind) bool { return k.Name == name })
	if i < 0 {
		return delivery.Kind{}, false
	}
	return kinds[i], true
}

// kindNames returns the names of all kinds.
func kindNames() []string {
	var names []string
	for _, k := range targets.Kinds() {
		names = append(names, k.Name)
	}
	return names
}

// configureTargets returns the targets, or every fault in their settings.
func (f *file) configureTargets() (all []delivery.Configured, faults []error) {
	for i, t := range f.Targets {
		target, err := t.configure()
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				faults = append(faults, fmt.Errorf("targets[%d]: %s", i, line))
			}
			continue
		}
		if slices.ContainsFunc(all, func(other delivery.Configured) bool { return other.Name == target.Name }) {
			faults = append(faults, fmt.Errorf("targets[%d]: name: %q is used twice", i, target.Name))
		}
		all = append(all, target)
	}
	return all, faults
}

// pushFault reports the former setting push and how to write it now. It shows no
// value that may contain a secret.
func (f *file) pushFault() error {
	if f.Push == nil {
		return nil
	}
	entries, ok := f.Push.([]any)
	var b strings.Builder
	for _, entry := range entries {
		fields, isMap := entry.(map[string]any)
		ok = ok && isMap
		fmt.Fprintf(&b, "\n  - name: %v\n    kind: http\n", fields["provider"])
		for _, name := range []string{"method", "url", "headers", "timeout"} {
			switch value := fields[name].(type) {
			case nil:
			case map[string]any:
				fmt.Fprintf(&b, "    %s: {…}  # as before\n", name)
			default:
				if name == "url" {
					value = "…  # as before"
				}
				fmt.Fprintf(&b, "    %s: %v\n", name, value)
			}
		}
	}
	if !ok {
		return errors.New("push: this setting is now called targets; the README shows it")
	}
	return fmt.Errorf("push: this setting is now called targets. Write:\ntargets:%s", strings.ReplaceAll(b.String(), "\n\n", "\n"))
}

// targets returns the configured targets; check has reported the faults.
func (s *Settings) targets() []delivery.Configured {
	all, _ := s.file.configureTargets()
	return all
}

func (s *Settings) targetNames() []messages.TargetName {
	var names []messages.TargetName
	for _, t := range s.targets() {
		names = append(names, messages.TargetName{Kind: t.Kind.Name, Name: t.Name})
	}
	return names
}

// providers returns the names of the targets that are push providers.
func (s *Settings) providers() []string {
	var names []string
	for _, t := range s.targets() {
		if t.Kind.Provider {
			names = append(names, t.Name)
		}
	}
	return names
}

// describeDelivery returns the details of a delivery that operators can see.
func describeDelivery(kind string, payload jsontext.Value) []messages.Detail {
	k, known := kindOf(kind)
	if !known {
		return nil
	}
	return k.Describe(payload)
}

// registrationKinds returns the kinds of targets that delete push registrations.
func registrationKinds() []string {
	var names []string
	for _, k := range targets.Kinds() {
		if k.Provider {
			names = append(names, k.Name)
		}
	}
	return names
}
