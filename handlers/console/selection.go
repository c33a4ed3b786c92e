package console

import (
	"encoding/json"
	"time"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/replay"
)

// came selects the letters that failed since a replay began: those that came
// back are among them. false: the job is none, or its letters were ticked.
func came(job jobs.Job) (deadletters.Filter, bool) {
	var q replay.Query
	if job.Kind != replay.KindReplay || json.Unmarshal(job.Query, &q) != nil || q.Filter == nil {
		return deadletters.Filter{}, false
	}
	f := *q.Filter
	f.From, f.To = job.CreatedAt, time.Time{}
	return f, true
}
