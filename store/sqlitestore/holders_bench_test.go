package sqlitestore

import "testing"

// BenchmarkHolders goes through 20,000 users with two sessions each; it is told
// for one session.
func BenchmarkHolders(b *testing.B) {
	s := open(b, Config{})
	const users, perUser = 20_000, 2
	s.benchSessions(b, users, perUser)
	b.ResetTimer()
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
}
