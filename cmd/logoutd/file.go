package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/logoutd/logoutd/workers/delivery"
)

// file is the YAML file. It can hold the plain settings too; the command line
// parser reads those.
type file struct {
	Roles            any    `yaml:"roles"`
	Listen           string `yaml:"listen"`
	AdminListen      string `yaml:"admin_listen"`
	AdminToken       string `yaml:"admin_token"`
	TLSCert          string `yaml:"tls_cert"`
	TLSKey           string `yaml:"tls_key"`
	AdminTLSCert     string `yaml:"admin_tls_cert"`
	AdminTLSKey      string `yaml:"admin_tls_key"`
	AdminTLSClientCA string `yaml:"admin_tls_client_ca"`
	TrustedProxies   any    `yaml:"trusted_proxies"`
	DataDir          string `yaml:"data_dir"`
	NATSURL          string `yaml:"nats_url"`
	NATSListen       string `yaml:"nats_listen"`
	RedisURL         string `yaml:"redis_url"`
	Secret           string `yaml:"secret"`
	LogFormat        string `yaml:"log_format"`
	LogLevel         string `yaml:"log_level"`

	Retry struct {
		delivery.Retry `yaml:",inline"`
		MaxReplays     int `yaml:"max_replays"`
	} `yaml:"retry"`
	Sessions struct {
		Unknown   string        `yaml:"unknown"`
		Retention time.Duration `yaml:"retention"`
	} `yaml:"sessions"`
	TrustedOrigins []string `yaml:"trusted_origins"`
	SAP            struct {
		Cookies []string `yaml:"cookies"`
		Origins []string `yaml:"origins"`
	} `yaml:"sap"`
	Elvis struct {
		Cookie          string   `yaml:"cookie"`
		LandingPage     string   `yaml:"landing_page"`
		RedirectOrigins []string `yaml:"redirect_origins"`
	} `yaml:"elvis"`
	Targets []targetNode `yaml:"targets"`
	// Push is the former name of Targets.
	Push any `yaml:"push"`
}

// readFile reads the YAML file at path. Unknown keys and unset variables are
// refused by name.
func readFile(path string) (f file, plain map[string]any, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return f, nil, fmt.Errorf("reading settings: %w", err)
	}
	parsed, err := parser.ParseBytes(text, 0)
	if err != nil {
		return f, nil, fmt.Errorf("reading settings from %s: %w", path, withoutSource(err))
	}
	plain = map[string]any{}
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		expand := &expander{}
		ast.Walk(expand, doc.Body)
		if len(expand.missing) > 0 {
			return f, nil, fmt.Errorf("reading settings from %s: environment variable %s is not set",
				path, strings.Join(expand.missing, ", "))
		}
		if err := yaml.NodeToValue(doc.Body, &f, yaml.Strict()); err != nil {
			return f, nil, fmt.Errorf("reading settings from %s: %w", path, withoutSource(err))
		}
		if err := yaml.NodeToValue(doc.Body, &plain); err != nil {
			return f, nil, fmt.Errorf("reading settings from %s: %w", path, withoutSource(err))
		}
	}
	return f, plain, nil
}

// withoutSource cuts off the parser's excerpt of the file: it may contain a
// secret.
func withoutSource(err error) error {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(first)
}

// expander replaces ${NAME} by the environment variable of that name.
type expander struct{ missing []string }

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// Visit implements [ast.Visitor].
func (e *expander) Visit(node ast.Node) ast.Visitor {
	if text, ok := node.(*ast.StringNode); ok {
		text.Value = variable.ReplaceAllStringFunc(text.Value, func(match string) string {
			name := match[2 : len(match)-1]
			value, ok := os.LookupEnv(name)
			if !ok {
				e.missing = append(e.missing, name)
			}
			return strings.TrimSpace(value) // a secret read from a file ends in a line feed
		})
	}
	return e
}

// validate returns all faults of the structured settings.
func (f *file) validate() []error {
	var faults []error
	fault := func(format string, v ...any) { faults = append(faults, fmt.Errorf(format, v...)) }
	switch f.Sessions.Unknown {
	case "", "drop", "publish":
	default:
		fault("sessions.unknown: %q is invalid: use drop or publish", f.Sessions.Unknown)
	}
	if f.Sessions.Retention < 0 {
		fault("sessions.retention: must not be negative")
	}
	if err := f.Retry.Check(); err != nil {
		faults = append(faults, err)
	}
	if f.Retry.MaxReplays < 0 {
		fault("retry.max_replays: must not be negative")
	}
	if slices.Contains(f.SAP.Cookies, "*") {
		fault("sap.cookies: * alone would match every cookie; name the cookies or give a prefix")
	}
	if slices.Contains(f.SAP.Origins, "*") {
		fault("sap.origins: * is not allowed: browsers refuse it with credentials; name the origins")
	}
	for _, origin := range f.TrustedOrigins {
		u, err := url.Parse(origin)
		if origin != "null" && origin != "file://" && (err != nil || u.Scheme == "" || u.Host == "" || strings.Trim(u.Path, "/") != "") {
			fault("trusted_origins: %q is not an origin: use one such as https://www.example.com, null (in quotes) or file://", origin)
		}
	}
	if page := f.Elvis.LandingPage; page != "" && !localPath(page) && !isURL(page) {
		fault("elvis.landing_page: %q is invalid: use a path such as / or a URL", page)
	}
	for _, origin := range f.Elvis.RedirectOrigins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" {
			fault("elvis.redirect_origins: %q is not an origin: use one such as https://www.example.com", origin)
		}
	}
	if err := f.pushFault(); err != nil {
		faults = append(faults, err)
	}
	_, targetFaults := f.configureTargets()
	return append(faults, targetFaults...)
}

// localPath reports whether page is a path on the same server.
func localPath(page string) bool {
	return strings.HasPrefix(page, "/") && !strings.HasPrefix(page, "//") && !strings.Contains(page, `\`)
}

func isURL(page string) bool {
	u, err := url.Parse(page)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
