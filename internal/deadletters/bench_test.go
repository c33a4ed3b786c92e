package deadletters_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
)

// amount is how many letters the benchmarks are about: LETTERS, or 100,000.
func amount(b *testing.B) int {
	if n, err := strconv.Atoi(os.Getenv("LETTERS")); err == nil {
		return n
	}
	return 100_000
}

// full returns a world with so many letters on its stream, of a user each, and
// its projection closed.
func full(b *testing.B, n int) *world {
	w := start(b)
	w.close()
	p := broker.NewPublisher(w.broker.JS, nil)
	defer p.Close()
	var msgs []*nats.Msg
	for i := range n {
		msgs = append(msgs, message(b, crowdLetter(i, n)))
		if len(msgs) < messages.MaxBatch && i < n-1 {
			continue
		}
		if err := p.All(context.Background(), msgs); err != nil {
			b.Fatal(err)
		}
		msgs = nil
	}
	return w
}

// crowdLetter returns letter i of n, each of a user, a session and a device of
// its own.
func crowdLetter(i, n int) messages.DeadLetter {
	l := letter(i)
	l.FailedAt = events.At(noon.Add(time.Duration(i) * 10 * time.Millisecond))
	l.Request.UserID, l.Request.SessionID = fmt.Sprintf("user-%d", i), fmt.Sprintf("%043d", i*7919%n)
	l.Request.DeviceID = fmt.Sprintf("device-%d", i*104729%n)
	return l
}

func BenchmarkRebuild(b *testing.B) {
	n := amount(b)
	w := full(b, n)
	b.ResetTimer()
	for range b.N {
		w.config.Path = b.TempDir() + "/letters.db"
		w.open()
		w.settle()
		w.close()
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "letters/s")
}

func BenchmarkQuestions(b *testing.B) {
	n := amount(b)
	w := full(b, n)
	w.open()
	w.settle()
	from := noon.Add(time.Duration(n) * 10 * time.Millisecond / 2)
	for name, f := range map[string]deadletters.Filter{
		"all":          {},
		"code":         {Code: "http_401"},
		"tenant":       {Tenant: "t1"},
		"tenant+code":  {Tenant: "t1", Code: "http_401"},
		"half+app":     {From: from, App: "push-app", MinAttempts: 3},
		"user":         {User: "user-77"},
		"nobody":       {Tenant: "t0", Code: "http_401"},
		"device+store": {Device: "device-5", Step: "revoke"},
	} {
		b.Run("page/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := w.List(context.Background(), f, "", 50); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("page/deep "+name, func(b *testing.B) {
			after := ""
			for range 40 {
				page, err := w.List(context.Background(), f, after, n/50)
				if err != nil {
					b.Fatal(err)
				}
				if page.Next == "" {
					break
				}
				after = page.Next
			}
			for b.Loop() {
				if _, err := w.List(context.Background(), f, after, 50); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("groups/"+name, func(b *testing.B) {
			for b.Loop() {
				if _, err := w.Groups(context.Background(), f); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
