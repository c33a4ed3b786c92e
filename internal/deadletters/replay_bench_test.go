package deadletters_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/logoutd/logoutd/events/eventstest"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

// BenchmarkReplayAll replays 100 letters of tasks a time, as a job does.
func BenchmarkReplayAll(b *testing.B) {
	benchmarkLetters(b, func(ctx context.Context, dead *deadletters.DeadLetters, seqs []uint64) ([]error, error) {
		return dead.ReplayAll(ctx, seqs, messages.Replayed{By: "ada", Reason: "mended", Job: "j"})
	})
}

// BenchmarkDiscardAll discards 100 letters a time.
func BenchmarkDiscardAll(b *testing.B) {
	benchmarkLetters(b, func(ctx context.Context, dead *deadletters.DeadLetters, seqs []uint64) ([]error, error) {
		return dead.DiscardAll(ctx, seqs)
	})
}

func benchmarkLetters(b *testing.B, do func(context.Context, *deadletters.DeadLetters, []uint64) ([]error, error)) {
	const together = 100
	server := eventstest.Start(b)
	p := broker.NewPublisher(server.JS, nil)
	b.Cleanup(p.Close)
	dead, seq := deadletters.NewDeadLetters(server.JS), uint64(0)
	for b.Loop() {
		b.StopTimer()
		seqs := make([]uint64, together)
		for i := range seqs {
			seq++
			l := testkit.DeliveryLetter()
			l.ID = fmt.Sprint("l", seq)
			l.Delivery.ID = l.ID
			if err := p.DeadLetter(b.Context(), l, seq); err != nil {
				b.Fatal(err)
			}
			seqs[i] = seq
		}
		b.StartTimer()
		results, err := do(b.Context(), dead, seqs)
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range results {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(together*b.N)/b.Elapsed().Seconds(), "letters/s")
}
