package redisstore_test

import (
	"testing"

	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/redisstore/redistest"
)

// BenchmarkHolders goes through 20,000 users with two sessions each; it is told
// for one session.
func BenchmarkHolders(b *testing.B) {
	server := redistest.Start(b)
	s := open(b, server.URL(), redisstore.Config{})
	const users, perUser = 20_000, 2
	register(b, s, users, perUser, 0)
	b.ResetTimer()
	meter := newMeter(b, server.Client())
	for done := 0; done < b.N; {
		for after, more := "", true; more && done < b.N; more = after != "" {
			page, err := s.Holders(b.Context(), after, 1000)
			if err != nil {
				b.Fatal(err)
			}
			for _, h := range page.Holders {
				done += len(h.Sessions)
			}
			after = page.Next
		}
	}
	meter.report(b)
}
