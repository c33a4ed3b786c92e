package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/logoutd/logoutd/handlers/forwarded"
	"github.com/logoutd/logoutd/workers"
)

// Settings are the plain ones: a flag, else an environment variable, else the
// key of the same name in the YAML file (with underscores), else the default.
type Settings struct {
	Config string `help:"YAML file with settings; what needs structure stands only there." env:"LOGOUTD_CONFIG" placeholder:"FILE" type:"existingfile"`

	Roles          []string `help:"What this process does: front, worker, admin. Some only, with a NATS and a Redis of their own." env:"LOGOUTD_ROLES" default:"front,worker,admin"`
	Listen         string   `help:"Public listener: the dialects, nothing else." env:"LOGOUTD_LISTEN" default:":8080"`
	AdminListen    string   `help:"Admin listener: /healthz, /readyz and /metrics, open; in the admin role /v1, with a token." env:"LOGOUTD_ADMIN_LISTEN" default:"127.0.0.1:8081"`
	AdminToken     string   `help:"Token of the admin API. Default: generated into <data-dir>/admin.token." env:"LOGOUTD_ADMIN_TOKEN" placeholder:"TOKEN"`
	TrustedProxies []string `help:"Addresses and networks (CIDR) of proxies whose headers Forwarded, X-Forwarded-For and X-Forwarded-Proto count. Default: none." env:"LOGOUTD_TRUSTED_PROXIES" placeholder:"CIDR"`
	DataDir        string   `help:"Embedded broker, embedded store, generated secrets, what the admin role knows of dead letters." env:"LOGOUTD_DATA_DIR" default:"./logoutd-data"`
	NATSURL        string   `name:"nats-url" help:"NATS with JetStream, e.g. nats://user:password@nats:4222. Default: an embedded broker, which syncs each message to disk." env:"LOGOUTD_NATS_URL" placeholder:"URL"`
	NATSListen     string   `name:"nats-listen" help:"Where the embedded broker serves subscribers, who need <data-dir>/subscriber.token; - for nowhere." env:"LOGOUTD_NATS_LISTEN" default:"127.0.0.1:4222"`
	RedisURL       string   `name:"redis-url" help:"Redis, Redis Cluster or Sentinel. Default: an embedded SQLite." env:"LOGOUTD_REDIS_URL" placeholder:"URL"`
	Secret         string   `help:"At least 32 bytes, the key of CSRF tokens. Default: generated into <data-dir>/secret; must be set where roles are split." env:"LOGOUTD_SECRET" placeholder:"SECRET"`
	LogFormat      string   `help:"tint (for people), json, or auto: tint on a terminal, json otherwise." env:"LOGOUTD_LOG_FORMAT" enum:"auto,tint,json" default:"auto"`
	LogLevel       string   `help:"debug, info, warn or error." env:"LOGOUTD_LOG_LEVEL" enum:"debug,info,warn,error" default:"info"`

	file file
}

// proxies returns the trusted proxies; check has reported what is none.
func (s *Settings) proxies() forwarded.Proxies {
	proxies, _ := forwarded.Parse(s.TrustedProxies)
	return proxies
}

// Roles of a process.
const (
	roleFront  = "front"
	roleWorker = "worker"
	roleAdmin  = "admin"
)

var allRoles = []string{roleFront, roleWorker, roleAdmin}

func (s *Settings) has(role string) bool { return slices.Contains(s.Roles, role) }

// split reports whether other processes have to do the rest.
func (s *Settings) split() bool {
	for _, role := range allRoles {
		if !s.has(role) {
			return true
		}
	}
	return false
}

// minSecret is the length of the secret, in bytes: that of an HMAC-SHA-256 key.
const minSecret = 32

// check reports everything that is wrong at once.
func (s *Settings) check() error {
	var faults []error
	fault := func(format string, v ...any) { faults = append(faults, fmt.Errorf(format, v...)) }
	if len(s.Roles) == 0 {
		fault("roles: give at least one of front, worker, admin")
	}
	for _, role := range s.Roles {
		if !slices.Contains(allRoles, role) {
			fault("roles: %q is none of front, worker, admin", role)
		}
	}
	if s.split() {
		if s.NATSURL == "" {
			fault("roles: the embedded broker serves one process only; set LOGOUTD_NATS_URL (--nats-url) to share one, or run all roles")
		}
		if s.RedisURL == "" {
			fault("roles: the embedded store serves one process only; set LOGOUTD_REDIS_URL (--redis-url) to share one, or run all roles")
		}
		if s.Secret == "" {
			fault("roles: split roles need the same secret; set LOGOUTD_SECRET (--secret) to at least %d bytes", minSecret)
		}
	}
	if s.Secret != "" && len(s.Secret) < minSecret {
		fault("secret: needs at least %d bytes, has %d", minSecret, len(s.Secret))
	}
	if _, err := forwarded.Parse(s.TrustedProxies); err != nil {
		fault("trusted_proxies: %w", err)
	}
	faults = append(faults, s.file.validate()...)
	return errors.Join(faults...)
}

// retry returns the retry policy of the workers.
func (s *Settings) retry() workers.Retry {
	r := s.file.Retry
	return workers.Retry{GiveUpAfter: r.GiveUpAfter, Initial: r.Initial, Max: r.Max}
}

// providers returns the names of the push providers.
func (s *Settings) providers() []string {
	var names []string
	for _, p := range s.file.Push {
		names = append(names, p.Provider)
	}
	return names
}

// publishUnknown reports whether sessions are kept elsewhere.
func (s *Settings) publishUnknown() bool { return s.file.Sessions.Unknown == "publish" }

// retention returns how long tombstones are kept; 0 means the default.
func (s *Settings) retention() time.Duration { return s.file.Sessions.Retention }
