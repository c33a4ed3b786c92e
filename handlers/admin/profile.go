package admin

import (
	"bytes"
	"net/http"
	"runtime/pprof"
	"strconv"
	"time"
)

// How long a profile takes.
const (
	defaultProfile = 10 * time.Second
	maxProfile     = time.Minute
)

// profile answers with a CPU profile of the process, as go tool pprof reads
// it, once the time is over. It holds names of functions, and no data.
func (a *api) profile(w http.ResponseWriter, r *http.Request) {
	length, err := profileLength(r.URL.Query().Get("seconds"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	ctx, cancel := a.untilStopped(r)
	defer cancel()
	var profile bytes.Buffer // its writer has a goroutine of its own: w is not its to write to
	if err := pprof.StartCPUProfile(&profile); err != nil {
		a.fail(w, r, newProblem(http.StatusConflict, "another profile is under way: try again when it is over"))
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_ = http.NewResponseController(w).Flush() // the caller sees that it has begun
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
	pprof.StopCPUProfile() // returns once it is written whole
	_, _ = profile.WriteTo(w)
}

func profileLength(seconds string) (time.Duration, error) {
	if seconds == "" {
		return defaultProfile, nil
	}
	n, err := strconv.Atoi(seconds)
	length := time.Duration(n) * time.Second
	if err != nil || n < 1 || length > maxProfile {
		return 0, invalid("seconds", "must be between 1 and %d", int(maxProfile.Seconds()))
	}
	return length, nil
}
