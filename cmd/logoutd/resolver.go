package main

import (
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// fileResolver gives the command line parser the plain settings of the YAML
// file. Flags and environment variables take precedence.
type fileResolver struct {
	loaded bool
	err    error // from reading the file; serve reports it
	file   file
	plain  map[string]any
}

// Validate implements [kong.Resolver].
func (r *fileResolver) Validate(*kong.Application) error { return nil }

// Resolve implements [kong.Resolver].
func (r *fileResolver) Resolve(ctx *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
	if parent.Node() == nil || parent.Node().Name != "serve" || flag.Name == "config" {
		return nil, nil
	}
	if !r.loaded {
		r.loaded = true
		r.err = r.load(ctx, parent.Node().Flags)
	}
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return nil, nil
		}
	}
	return r.plain[strings.ReplaceAll(flag.Name, "-", "_")], nil
}

func (r *fileResolver) load(ctx *kong.Context, flags []*kong.Flag) (err error) {
	for _, flag := range flags {
		if path, ok := ctx.FlagValue(flag).(string); ok && flag.Name == "config" && path != "" {
			if r.file, r.plain, err = readFile(path); err != nil {
				return err
			}
		}
	}
	return nil
}
