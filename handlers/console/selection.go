package console

import (
	"encoding/json"
	"time"

	"github.com/logoutd/logoutd/operations/bulk"
	"github.com/logoutd/logoutd/operations/jobs"
	"github.com/logoutd/logoutd/operations/letters"
	"github.com/logoutd/logoutd/operations/replay"
)

// selection says in words what a job acts on.
type selection struct {
	Chips []chip
	// Words are there where no chips are.
	Words string
}

// selectionOf reads what was asked for, as a plan or a job keeps it.
func selectionOf(kind string, asked json.RawMessage) selection {
	if kind == bulk.Kind {
		return selectionOfUsers(asked)
	}
	var q replay.Query
	if len(asked) == 0 || json.Unmarshal(asked, &q) != nil {
		return selection{}
	}
	switch {
	case len(q.IDs) > 0:
		return selection{Words: count(len(q.IDs), "letter that was ticked", "letters that were ticked")}
	case q.Filter == nil:
		return selection{Words: "letters that were ticked"}
	}
	if list := chips(*q.Filter, ""); len(list) > 0 {
		return selection{Chips: list}
	}
	return selection{Words: "all letters there were"}
}

func selectionOfUsers(asked json.RawMessage) selection {
	var q bulk.Query
	if len(asked) == 0 || json.Unmarshal(asked, &q) != nil {
		return selection{}
	}
	var s selection
	add := func(label, value string) {
		if value != "" {
			s.Chips = append(s.Chips, chip{Label: label, Value: value})
		}
	}
	add("App", q.AppID)
	add("Tenant", q.TenantID)
	if len(q.Users) > 0 {
		add("Users", count(len(q.Users), "user of a list", "users of a list"))
	}
	if !q.AuthenticatedBefore.IsZero() {
		add("Authenticated at or before", q.AuthenticatedBefore.UTC().Format(time.RFC3339))
	}
	if len(s.Chips) == 0 {
		s.Words = "everybody"
	}
	return s
}

// came selects the letters that failed since a replay began: those that came
// back are among them. false: the job is none, or its letters were ticked.
func came(job jobs.Job) (letters.Filter, bool) {
	var q replay.Query
	if job.Kind != replay.KindReplay || json.Unmarshal(job.Query, &q) != nil || q.Filter == nil {
		return letters.Filter{}, false
	}
	f := *q.Filter
	f.From, f.To = job.CreatedAt, time.Time{}
	return f, true
}
