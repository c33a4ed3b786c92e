package redisstore_test

import (
	"context"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
)

// meter measures what a benchmark costs from when it was made: on the server,
// whose commands include those that scripts call, and in this process.
type meter struct {
	raw            *redis.Client
	calls          float64
	server, client float64 // microseconds of CPU
}

func newMeter(b *testing.B, raw *redis.Client) *meter {
	b.Helper()
	m := &meter{raw: raw}
	m.read(b)
	b.ReportAllocs()
	b.ResetTimer()
	b.StartTimer()
	return m
}

func (m *meter) report(b *testing.B) {
	b.Helper()
	b.StopTimer()
	before := *m
	m.read(b)
	n := float64(b.N)
	b.ReportMetric((m.calls-before.calls)/n, "calls/op")
	b.ReportMetric((m.server-before.server)/n, "server-µs/op")
	b.ReportMetric((m.client-before.client)/n, "client-µs/op")
}

func (m *meter) read(b *testing.B) {
	b.Helper()
	info, err := m.raw.Info(context.Background(), "cpu", "commandstats").Result()
	if err != nil {
		b.Fatal(err)
	}
	m.calls, m.server = 0, 0
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch {
		case name == "used_cpu_sys" || name == "used_cpu_user":
			seconds, _ := strconv.ParseFloat(value, 64)
			m.server += seconds * 1e6
		case strings.HasPrefix(name, "cmdstat_"):
			calls, _, _ := strings.Cut(strings.TrimPrefix(value, "calls="), ",")
			n, _ := strconv.ParseFloat(calls, 64)
			m.calls += n
		}
	}
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	m.client = float64(used.Utime.Nano()+used.Stime.Nano()) / 1e3
}
