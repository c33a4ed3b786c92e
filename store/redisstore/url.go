package redisstore

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// What holds unless the URL says otherwise.
const (
	dialTimeout = 2 * time.Second
	readTimeout = 3 * time.Second
	poolTimeout = time.Second
)

// tuning are the query parameters of every form, as go-redis names them.
var tuning = []string{"dial_timeout", "read_timeout", "write_timeout", "pool_size", "pool_timeout"}

// parseURL reads the URL of a Redis, without ever showing what is in it: it
// may hold a password.
func parseURL(raw string) (*redis.UniversalOptions, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	scheme, form, _ := strings.Cut(u.Scheme, "+")
	if !slices.Contains([]string{"redis", "rediss", "unix"}, scheme) || !slices.Contains([]string{"", "cluster", "sentinel"}, form) || scheme == "unix" && form != "" {
		return nil, fmt.Errorf("scheme %q: want redis, rediss or unix, or the first two with +cluster or +sentinel", u.Scheme)
	}
	u.Scheme = scheme
	query := u.Query()
	if err := checkQuery(query, scheme, form); err != nil {
		return nil, err
	}
	own := url.Values{}
	for name, values := range query {
		if slices.Contains(tuning, name) || name == "db" {
			own[name] = values
		}
	}
	u.RawQuery = own.Encode()
	o, err := redis.ParseURL(u.String())
	if err != nil {
		return nil, errors.New("host, database number or a parameter is malformed")
	}
	return universal(o, form, query)
}

func checkQuery(query url.Values, scheme, form string) error {
	allowed := slices.Clone(tuning)
	switch {
	case form == "cluster":
		allowed = append(allowed, "addr")
	case form == "sentinel":
		allowed = append(allowed, "addr", "master_name", "sentinel_username", "sentinel_password")
	case scheme == "unix":
		allowed = append(allowed, "db")
	}
	for name := range query {
		if !slices.Contains(allowed, name) {
			return fmt.Errorf("parameter %q is not one of %s", name, strings.Join(allowed, ", "))
		}
	}
	return nil
}

func universal(o *redis.Options, form string, query url.Values) (*redis.UniversalOptions, error) {
	if form == "cluster" && o.DB != 0 {
		return nil, errors.New("a cluster has database 0 only")
	}
	if form == "sentinel" && query.Get("master_name") == "" {
		return nil, errors.New("parameter \"master_name\" is missing")
	}
	return &redis.UniversalOptions{
		Addrs:            append([]string{o.Addr}, query["addr"]...),
		IsClusterMode:    form == "cluster",
		MasterName:       query.Get("master_name"),
		SentinelUsername: query.Get("sentinel_username"),
		SentinelPassword: query.Get("sentinel_password"),
		Username:         o.Username,
		Password:         o.Password,
		DB:               o.DB,
		TLSConfig:        o.TLSConfig,

		DialTimeout:  orDefault(o.DialTimeout, dialTimeout),
		ReadTimeout:  orDefault(o.ReadTimeout, readTimeout),
		WriteTimeout: orDefault(o.WriteTimeout, readTimeout),
		PoolTimeout:  orDefault(o.PoolTimeout, poolTimeout),
		PoolSize:     o.PoolSize,

		// A caller's deadline holds also where the server hangs, and what
		// fails is tried again by the caller, who knows how long it may take.
		ContextTimeoutEnabled: true,
		MaxRetries:            -1,
		DialerRetries:         1,
		// Every call is a pipeline: one pool does.
		PipelinePoolSize:         -1,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}, nil
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}
