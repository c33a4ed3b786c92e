package main

import (
	"strings"
	"testing"
)

func TestReadSamples(t *testing.T) {
	t.Parallel()
	found, err := readSamples(strings.NewReader(`# HELP logoutd_attempts_total Attempts.
# TYPE logoutd_attempts_total counter
logoutd_attempts_total{outcome="ok",step="push",target="a b"} 3
logoutd_attempts_total{outcome="ok",step="revoke",target=""} 4
logoutd_attempts_total{outcome="timeout",step="push",target="a b"} 5
logoutd_attempts_total_created 1e9
go_goroutines 12
logoutd_backlog_oldest_seconds{step="revoke",target=""} 1.5e-03
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		labels []string
		want   float64
	}{
		{nil, 12}, {[]string{`step="push"`}, 8}, {[]string{`step="push"`, `outcome="ok"`}, 3},
	} {
		if got, ok := found.sum("logoutd_attempts_total", c.labels...); !ok || got != c.want {
			t.Errorf("sum of %v is %v, %v; want %v", c.labels, got, ok, c.want)
		}
	}
	if got, _ := found.sum("logoutd_backlog_oldest_seconds"); got != 0.0015 {
		t.Errorf("age is %v", got)
	}
	if _, ok := found.sum("go_goroutines"); ok {
		t.Error("a metric of another program counts")
	}
	if _, err := readSamples(strings.NewReader("logoutd_x abc\n")); err == nil {
		t.Error("a value that is no number is taken")
	}
}
