package redisstore

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func TestParseURL(t *testing.T) {
	for url, check := range map[string]func(o *redis.UniversalOptions) bool{
		"redis://h": func(o *redis.UniversalOptions) bool {
			return slices.Equal(o.Addrs, []string{"h:6379"}) && !o.IsClusterMode && o.MasterName == "" && o.TLSConfig == nil
		},
		"redis://u:p@h:1/2?pool_size=7&read_timeout=250ms": func(o *redis.UniversalOptions) bool {
			return o.Username == "u" && o.Password == "p" && o.DB == 2 && o.PoolSize == 7 && o.ReadTimeout == 250*time.Millisecond
		},
		"rediss://h:1": func(o *redis.UniversalOptions) bool { return o.TLSConfig != nil && o.TLSConfig.ServerName == "h" },
		"unix://u:p@/run/redis.sock?db=3": func(o *redis.UniversalOptions) bool {
			return slices.Equal(o.Addrs, []string{"/run/redis.sock"}) && o.DB == 3 && o.Password == "p"
		},
		"redis+cluster://u:p@h1:1?addr=h2:2&addr=h3:3": func(o *redis.UniversalOptions) bool {
			return o.IsClusterMode && slices.Equal(o.Addrs, []string{"h1:1", "h2:2", "h3:3"}) && o.Password == "p"
		},
		"rediss+cluster://h1:1": func(o *redis.UniversalOptions) bool { return o.IsClusterMode && o.TLSConfig != nil },
		"redis+sentinel://u:p@s1:1/4?master_name=main&addr=s2:2&sentinel_password=q": func(o *redis.UniversalOptions) bool {
			return o.MasterName == "main" && slices.Equal(o.Addrs, []string{"s1:1", "s2:2"}) &&
				o.DB == 4 && o.Password == "p" && o.SentinelPassword == "q"
		},
	} {
		o, err := parseURL(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
		} else if !check(o) || !o.ContextTimeoutEnabled {
			t.Errorf("%s: got %+v", url, o)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for url, want := range map[string]string{
		"":                                   "scheme",
		"localhost:6379":                     "scheme",
		"http://:geheim@h":                   "scheme",
		"redis+other://:geheim@h":            "scheme",
		"unix+cluster:///geheim":             "scheme",
		"redis://:geheim@h:port":             "not a URL",
		"redis://:geheim%zz@h":               "not a URL",
		"redis://:geheim@h/db":               "malformed",
		"redis://:geheim@h?pool_size=geheim": "malformed",
		"redis://:geheim@h?addr=h2:1":        `parameter "addr"`,
		"redis://:geheim@h?max_retries=1":    `parameter "max_retries"`,
		"redis+cluster://:geheim@h/1":        "database 0",
		"redis+sentinel://:geheim@h?sentinel_password=geheim": "master_name",
	} {
		_, err := parseURL(url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: got error %v, want one with %q and without the password", url, err, want)
		}
	}
}
