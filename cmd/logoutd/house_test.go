package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/logoutd/logoutd/"
)

// goPackage is a package as go list -json has it.
type goPackage struct {
	ImportPath, Dir, Doc string
	Imports, Deps        []string
}

// packages returns all packages of the project by their path below its root.
func packages(t *testing.T) map[string]goPackage {
	t.Helper()
	list := exec.Command("go", "list", "-pgo=off", "-json=ImportPath,Dir,Doc,Imports,Deps", "./...")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]goPackage{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(p.ImportPath, module)] = p
	}
}

// importRules say what of the project a package may import, by its path or, for
// everything else in a folder, by the folder's with a final /.
var importRules = map[string][]string{
	"cmd/":                {"internal/", "handlers", "handlers/", "workers", "workers/", "events", "events/", "store", "store/"},
	"handlers":            {"internal/", "events", "store"},
	"handlers/":           {"internal/", "events", "store"},
	"workers":             {"internal/", "events", "store", "workers/delivery"},
	"workers/":            {"internal/", "events", "store", "workers/delivery", "workers/targets/"},
	"workers/delivery":    {"internal/broker", "internal/messages", "events", "store"},
	"internal/":           {"internal/", "events", "store"},
	"internal/batcher":    {},
	"internal/forwarded":  {},
	"internal/health":     {},
	"internal/httpclient": {"internal/version"},
	"internal/providers":  {},
	"internal/server":     {},
	"internal/testkit":    {"internal/", "events", "events/", "store", "workers/delivery"},
	"internal/text":       {},
	"internal/version":    {},
	"events":              {},
	"events/":             {"events", "events/", "internal/broker", "internal/broker/", "internal/messages"},
	"internal/messages":   {"events"},
	"internal/broker":     {"events", "internal/messages", "internal/batcher"},
	"store":               {},
	"store/":              {"store", "store/", "internal/batcher"},
}

// TestImportsPointDownwards: handlers and workers never meet, and events and
// store import nothing of ours.
func TestImportsPointDownwards(t *testing.T) {
	t.Parallel()
	for path, p := range packages(t) {
		allowed, known := importRules[path]
		if !known {
			allowed, known = importRules[path[:strings.Index(path+"/", "/")]+"/"]
		}
		if !known {
			t.Errorf("%s: no rule says what it may import", path)
		}
		for _, imported := range p.Imports {
			below, ours := strings.CutPrefix(imported, module)
			if ours && !slices.ContainsFunc(allowed, func(rule string) bool {
				return below == rule || strings.HasSuffix(rule, "/") && strings.HasPrefix(below, rule)
			}) {
				t.Errorf("%s imports %s", path, below)
			}
		}
	}
}

// TestSubscribersGetLittleElse: events depends on the standard library only.
func TestSubscribersGetLittleElse(t *testing.T) {
	t.Parallel()
	for _, dep := range packages(t)["events"].Deps {
		if strings.Contains(dep, ".") && !strings.HasPrefix(dep, "vendor/") {
			t.Errorf("events depends on %s", dep)
		}
	}
}

// TestEachPackageHasDoc: in a file doc.go.
func TestEachPackageHasDoc(t *testing.T) {
	t.Parallel()
	for path, p := range packages(t) {
		text, err := os.ReadFile(filepath.Join(p.Dir, "doc.go"))
		if err != nil || p.Doc == "" || !strings.HasPrefix(string(text), "// ") {
			t.Errorf("%s has no doc.go that says what it is for: %v", path, err)
		}
	}
}

// TestTopLevel holds packages and what a project has, and nothing else but
// what git ignores.
func TestTopLevel(t *testing.T) {
	t.Parallel()
	allowed := []string{
		"cmd", "handlers", "events", "workers", "store", "internal", "deployments", "docs",
		"go.mod", "go.sum", "Makefile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE",
	}
	ignored, err := os.Open(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ignored.Close() }()
	for lines := bufio.NewScanner(ignored); lines.Scan(); {
		allowed = append(allowed, strings.Trim(lines.Text(), "/"))
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); !strings.HasPrefix(name, ".") && !slices.ContainsFunc(allowed, func(pattern string) bool {
			ok, _ := filepath.Match(pattern, name)
			return ok
		}) {
			t.Errorf("%s does not belong at the top level", name)
		}
	}
}
