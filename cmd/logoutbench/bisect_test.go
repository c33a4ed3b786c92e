package main

import (
	"errors"
	"math"
	"testing"
)

func TestNarrow(t *testing.T) {
	t.Parallel()
	for limit, want := range map[float64]float64{
		2000: 1000, // all that may be tried holds
		640:  640,
		50:   50,
		1:    20, // nothing holds
	} {
		tries := 0
		got, failed, err := narrow(20, 1000, 10, func(v float64) (bool, error) {
			tries++
			return v <= limit, nil
		})
		if err != nil || got > max(want, 20) || math.Abs(got-want) > 2 {
			t.Errorf("limit %v: found %v, %v; want %v", limit, got, err, want)
		}
		if failed < got || failed-got > 2 || limit < 1000 && failed <= limit {
			t.Errorf("limit %v: %v is said not to hold, and %v to hold", limit, failed, got)
		}
		if tries > 10 {
			t.Errorf("limit %v: %d tries", limit, tries)
		}
	}
}

func TestNarrowEndsWithAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	tries := 0
	_, _, err := narrow(20, 1000, 10, func(float64) (bool, error) {
		tries++
		return true, broken
	})
	if !errors.Is(err, broken) || tries != 1 {
		t.Errorf("error is %v after %d tries", err, tries)
	}
}
