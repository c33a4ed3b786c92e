package console

import (
	"encoding/json"
	"time"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/replay"
)

// failedSince returns a filter for the dead letters that failed since a replay
// started, including those that failed again. It returns false for other jobs and
// for a replay of selected ids.
func failedSince(job jobs.Job) (deadletters.Filter, bool) {
	var q replay.Query
	if job.Kind != replay.KindReplay || json.Unmarshal(job.Query, &q) != nil || q.Filter == nil {
		return deadletters.Filter{}, false
	}
	f := *q.Filter
	f.From, f.To = job.CreatedAt, time.Time{}
	return f, true
}
