package admin

import (
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
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := pprof.StartCPUProfile(w); err != nil {
		a.fail(w, r, newProblem(http.StatusConflict, "another profile is under way: try again when it is over"))
		return
	}
	defer pprof.StopCPUProfile()
	_ = http.NewResponseController(w).Flush() // the caller sees that it has begun
	select {
	case <-ctx.Done():
	case <-time.After(length):
	}
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
