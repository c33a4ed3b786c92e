package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/logoutd/logoutd/internal/forwarded"
	"github.com/logoutd/logoutd/internal/server"
	"github.com/logoutd/logoutd/workers/delivery"
)

// Settings are the plain settings. Each comes from its flag, its environment
// variable, the key of the same name (with underscores) in the YAML file, or its
// default, in this order.
type Settings struct {
	Config string `help:"YAML file with settings. Structured settings can be set only there." env:"LOGOUTD_CONFIG" placeholder:"FILE" type:"existingfile"`

	Roles            []string `help:"Roles of this process: front, worker, admin. Splitting roles across processes requires NATS and Redis." env:"LOGOUTD_ROLES" default:"front,worker,admin"`
	Listen           string   `help:"Address of the public listener, which serves only the dialects." env:"LOGOUTD_LISTEN" default:":8080"`
	AdminListen      string   `help:"Address of the admin listener: /healthz, /readyz and /metrics without a token; in the admin role also /v1 and /console, with a token." env:"LOGOUTD_ADMIN_LISTEN" default:"127.0.0.1:8081"`
	TLSCert          string   `name:"tls-cert" help:"Certificate chain of the public listener (PEM). Enables HTTPS. A changed file is loaded within seconds." env:"LOGOUTD_TLS_CERT" placeholder:"FILE"`
	TLSKey           string   `name:"tls-key" help:"Private key of the public listener's certificate (PEM)." env:"LOGOUTD_TLS_KEY" placeholder:"FILE"`
	AdminTLSCert     string   `name:"admin-tls-cert" help:"Certificate chain of the admin listener (PEM). Enables HTTPS. A changed file is loaded within seconds." env:"LOGOUTD_ADMIN_TLS_CERT" placeholder:"FILE"`
	AdminTLSKey      string   `name:"admin-tls-key" help:"Private key of the admin listener's certificate (PEM)." env:"LOGOUTD_ADMIN_TLS_KEY" placeholder:"FILE"`
	AdminTLSClientCA string   `name:"admin-tls-client-ca" help:"CA certificate (PEM). The admin listener then requires a client certificate issued by it, for /healthz, /readyz and /metrics too. Default: no client certificate is required." env:"LOGOUTD_ADMIN_TLS_CLIENT_CA" placeholder:"FILE"`

	TrustedProxies []string `help:"Addresses and networks (CIDR) of proxies whose Forwarded, X-Forwarded-For and X-Forwarded-Proto headers are trusted. Default: no proxy is trusted." env:"LOGOUTD_TRUSTED_PROXIES" placeholder:"CIDR"`
	DataDir        string   `help:"Directory of the embedded broker, the embedded store, generated secrets and the admin role's index of dead letters." env:"LOGOUTD_DATA_DIR" default:"./logoutd-data"`
	NATSURL        string   `name:"nats-url" help:"NATS server with JetStream, for example nats://user:password@nats:4222. Default: an embedded broker that syncs each message to disk." env:"LOGOUTD_NATS_URL" placeholder:"URL"`
	NATSListen     string   `name:"nats-listen" help:"Address where the embedded broker serves subscribers (see logoutd subscribers create); - disables it." env:"LOGOUTD_NATS_LISTEN" default:"127.0.0.1:4222"`
	RedisURL       string   `name:"redis-url" help:"Redis, Redis Cluster or Sentinel. Default: an embedded SQLite database." env:"LOGOUTD_REDIS_URL" placeholder:"URL"`
	LogFormat      string   `help:"Log format: tint (human-readable), json, or auto: tint on a terminal, json otherwise." env:"LOGOUTD_LOG_FORMAT" enum:"auto,tint,json" default:"auto"`
	LogLevel       string   `help:"Lowest level to log: debug, info, warn or error." env:"LOGOUTD_LOG_LEVEL" enum:"debug,info,warn,error" default:"info"`

	// Secrets come from the environment, files and the YAML file only.
	AdminToken string `kong:"-"`
	Secret     string `kong:"-"`

	file   file
	faults []error // in settings without a flag
}

// proxies returns the trusted proxies; check has reported invalid ones.
func (s *Settings) proxies() forwarded.Proxies {
	proxies, _ := forwarded.Parse(s.TrustedProxies)
	return proxies
}

// publicTLS and adminTLS return the TLS files of a listener.
func (s *Settings) publicTLS() server.TLSFiles {
	return server.TLSFiles{Certificate: s.TLSCert, Key: s.TLSKey}
}

func (s *Settings) adminTLS() server.TLSFiles {
	return server.TLSFiles{Certificate: s.AdminTLSCert, Key: s.AdminTLSKey, ClientCA: s.AdminTLSClientCA}
}

// Roles of a process.
const (
	roleFront  = "front"
	roleWorker = "worker"
	roleAdmin  = "admin"
)

var allRoles = []string{roleFront, roleWorker, roleAdmin}

func (s *Settings) has(role string) bool { return slices.Contains(s.Roles, role) }

// split reports whether other processes must have the remaining roles.
func (s *Settings) split() bool {
	for _, role := range allRoles {
		if !s.has(role) {
			return true
		}
	}
	return false
}

// minSecret is the minimum length of logoutd's own tokens and keys, in bytes:
// that of an HMAC-SHA-256 key.
const minSecret = 32

// readSecrets reads the secrets, which have no flags, from the environment or
// the YAML file, and trims the secrets of other systems.
func (s *Settings) readSecrets(given *kong.Context, plain map[string]any) {
	s.AdminToken = s.ownSecret(adminTokenSetting, "admin_token", s.file.AdminToken, plain)
	s.Secret = s.ownSecret(secretSetting, "secret", s.file.Secret, plain)
	s.NATSURL, s.RedisURL = strings.TrimSpace(s.NATSURL), strings.TrimSpace(s.RedisURL)
	for _, element := range given.Path {
		flag := element.Flag
		if flag == nil || element.Resolved || flag.Name != "nats-url" && flag.Name != "redis-url" {
			continue
		}
		if value := flag.Value.Target.String(); strings.Contains(value, "@") || strings.Contains(value, "password=") {
			name := flag.Envs[0]
			s.faults = append(s.faults, fmt.Errorf("--%s: contains a credential, which every user of this machine can see: set %s instead, or set %s to the path of a file with it",
				flag.Name, name, name+fileSuffix))
		}
	}
}

// ownSecret returns one of logoutd's own tokens or keys; empty if it is not set.
func (s *Settings) ownSecret(name, key, inFile string, plain map[string]any) string {
	secret, set := os.LookupEnv(name)
	from := sourceOf(name)
	if !set {
		secret, from = strings.TrimSpace(inFile), key
		_, set = plain[key]
	}
	if what := weakness(secret); set && what != "" {
		s.faults = append(s.faults, fmt.Errorf("%s: %s; make one with: openssl rand -hex 32", from, what))
	}
	return secret
}

// check reports all faults at once.
func (s *Settings) check() error {
	var faults []error
	fault := func(format string, v ...any) { faults = append(faults, fmt.Errorf(format, v...)) }
	if len(s.Roles) == 0 {
		fault("roles: set at least one of front, worker, admin")
	}
	for _, role := range s.Roles {
		if !slices.Contains(allRoles, role) {
			fault("roles: unknown role %q: use front, worker, admin", role)
		}
	}
	if s.split() {
		if s.NATSURL == "" {
			fault("roles: the embedded broker serves only one process; set LOGOUTD_NATS_URL (--nats-url) to share a broker, or run all roles")
		}
		if s.RedisURL == "" {
			fault("roles: the embedded store serves only one process; set LOGOUTD_REDIS_URL (--redis-url) to share a store, or run all roles")
		}
		if s.Secret == "" {
			fault("roles: split roles must share one secret of at least %d bytes; set LOGOUTD_SECRET, or LOGOUTD_SECRET_FILE to the path of a file with it", minSecret)
		}
	}
	faults = append(faults, s.faults...)
	if _, err := forwarded.Parse(s.TrustedProxies); err != nil {
		fault("trusted_proxies: %w", err)
	}
	if s.has(roleFront) {
		if err := s.publicTLS().Check(); err != nil {
			fault("tls_cert, tls_key: %w", err)
		}
	}
	if err := s.adminTLS().Check(); err != nil {
		fault("admin_tls_cert, admin_tls_key, admin_tls_client_ca: %w", err)
	}
	faults = append(faults, s.file.validate()...)
	return errors.Join(faults...)
}

// retry returns the retry policy of the workers.
func (s *Settings) retry() delivery.Retry { return s.file.Retry.Retry }

// publishUnknown reports whether logouts of unknown sessions are published:
// another system keeps the sessions.
func (s *Settings) publishUnknown() bool { return s.file.Sessions.Unknown == "publish" }

// retention returns how long tombstones are kept; 0 means the default.
func (s *Settings) retention() time.Duration { return s.file.Sessions.Retention }
