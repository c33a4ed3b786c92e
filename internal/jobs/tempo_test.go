package jobs_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/logoutd/logoutd/internal/jobs"
)

// drive works for the given time, a batch taking as long as it says, and
// returns how many items were done.
func drive(t *testing.T, tempo *jobs.Tempo, d time.Duration, takes func(batch int) time.Duration) int {
	t.Helper()
	items := 0
	for batch, end := 0, time.Now().Add(d); time.Now().Before(end); batch++ {
		if err := tempo.Wait(t.Context(), tempo.Batch()); err != nil {
			t.Fatal(err)
		}
		<-time.After(takes(batch))
		items += tempo.Batch()
		tempo.Speed(items)
	}
	return items
}

func TestRateIsHeld(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0.5, 3, 7, 99, 2345} {
		for name, takes := range map[string]func(int) time.Duration{
			"at once": func(int) time.Duration { return 0 },
			"evenly":  func(int) time.Duration { return 4 * time.Millisecond },
			"by fits": func(batch int) time.Duration {
				return time.Duration(batch%10/9) * 60 * time.Millisecond
			},
		} {
			synctest.Test(t, func(t *testing.T) {
				tempo := jobs.NewTempo(rate)
				for _, d := range []time.Duration{20 * time.Second, time.Minute} {
					began := time.Now()
					items := drive(t, tempo, d, takes)
					got := float64(items) / time.Since(began).Seconds()
					if math.Abs(got-rate) > rate*0.05 {
						t.Errorf("%g items a second %s for %s: %g were done", rate, name, d, got)
					}
				}
			})
		}
	}
}

func TestNothingIsCaughtUpWith(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tempo := jobs.NewTempo(400)
		drive(t, tempo, 10*time.Second, func(int) time.Duration { return 0 })
		<-time.After(time.Minute) // one batch took that long
		if items := drive(t, tempo, time.Second, func(int) time.Duration { return 0 }); items > 400+2*tempo.Batch() {
			t.Errorf("%d items in the second after", items)
		}
	})
}

func TestBatches(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]int{0: 100, 0.1: 1, 3: 1, 4: 1, 8: 2, 100: 25, 400: 100, 1e9: 100} {
		if got := jobs.NewTempo(rate).Batch(); got != want {
			t.Errorf("%d items at once at %g a second, want %d", got, rate, want)
		}
	}
}

func TestSpeedIsThatOfLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tempo := jobs.NewTempo(0)
		position := 0
		for _, perSecond := range []int{100, 10} {
			for range 20 {
				<-time.After(time.Second)
				position += perSecond
				tempo.Speed(position)
			}
			<-time.After(time.Second)
			position += perSecond
			if got := tempo.Speed(position); math.Abs(got-float64(perSecond)) > 0.01 {
				t.Errorf("speed %g, want %d", got, perSecond)
			}
		}
	})
}
