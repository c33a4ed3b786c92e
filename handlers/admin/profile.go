package admin

import (
	"bytes"
	"net/http"
	"runtime/pprof"
	"strconv"
	"time"
)

// Duration of a profile.
const (
	defaultProfile = 10 * time.Second
	maxProfile     = time.Minute
)

// profile answers with a CPU profile of the process for go tool pprof. The
// profile contains function names and no data.
func (a *api) profile(w http.ResponseWriter, r *http.Request) {
	length, err := profileLength(r.URL.Query().Get("seconds"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	ctx, cancel := a.untilStopped(r)
	defer cancel()
	var profile bytes.Buffer // pprof writes from its own goroutine, so it must not write to w
	if err := pprof.StartCPUProfile(&profile); err != nil {
		a.fail(w, r, newProblem(http.StatusConflict, "another profile is running: try again when it has finished"))
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_ = http.NewResponseController(w).Flush() // tells the caller that the profile has started
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
	pprof.StopCPUProfile() // returns when the profile is complete
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
