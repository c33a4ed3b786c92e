package jobs_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/logoutd/logoutd/internal/jobs"
)

// BenchmarkPrepare is the storing of a plan, per item.
func BenchmarkPrepare(b *testing.B) {
	p := newBroker(b).idle("one", nil)
	b.ReportAllocs()
	for b.Loop() {
		p.plan(100_000)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/item")
}

// nothing is work that takes no time.
type nothing struct{}

func (nothing) Do(context.Context, jobs.Job, []jobs.Item) (map[string]int, error) { return nil, nil }

// BenchmarkRun is what a job adds to its work, per item.
func BenchmarkRun(b *testing.B) {
	server := newBroker(b)
	p := server.idle("one", nil)
	p.Works[kind] = nothing{}
	server.run(p)
	for b.Loop() {
		p.until(p.job(20_000).ID, is(jobs.Done))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/20_000, "ns/item")
}

func (nothing) Selected(json.RawMessage) ([]jobs.Criterion, error) { return nil, nil }
