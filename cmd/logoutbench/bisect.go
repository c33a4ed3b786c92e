package main

// narrow narrows the highest value that holds down between low, which is taken
// to hold, and high, which is tried first, in a number of steps. It returns the
// highest that held and the lowest that did not; where high holds it is both.
func narrow(low, high float64, steps int, holds func(float64) (bool, error)) (held, failed float64, err error) {
	held, failed = low, high
	for try := high; steps > 0; steps-- {
		ok, err := holds(try)
		switch {
		case err != nil:
			return held, failed, err
		case ok && try == high:
			return high, high, nil
		case ok:
			held = try
		default:
			failed = try
		}
		try = (held + failed) / 2
	}
	return held, failed, nil
}
