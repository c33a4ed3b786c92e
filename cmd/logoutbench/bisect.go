package main

// highest narrows the highest value that holds down between low, which is
// taken to hold, and high, which is tried first, in a number of steps. Where
// all that is tried fails, it returns low.
func highest(low, high float64, steps int, holds func(float64) (bool, error)) (float64, error) {
	for try := high; steps > 0; steps-- {
		ok, err := holds(try)
		switch {
		case err != nil:
			return low, err
		case ok && try == high:
			return high, nil
		case ok:
			low = try
		default:
			high = try
		}
		try = (low + high) / 2
	}
	return low, nil
}
