package console

import (
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/overview"
)

// verdict is the state of things in a sentence. Mood is a class of the style
// sheet: bad, warn or none.
type verdict struct {
	Mood, Words string
}

// longWait is how old the oldest message of a target is when operators are
// told though nothing is paused: longer than the first ten retries of a
// message that fails by itself wait.
const longWait = 10 * time.Minute

// judge says what an operator has to know first.
func judge(s overview.Snapshot, failed badge, now time.Time) verdict {
	var bad, warn []string
	switch {
	case s.At.IsZero():
		return verdict{"warn", "Nothing has been measured yet."}
	case !s.BrokerOK:
		bad = append(bad, "The broker does not answer: logouts are refused with 503, and clients try again. What waits, and which targets work, is not known")
	}
	waits := ""
	if s.BrokerOK { // without it nothing is accepted
		waits = ": logouts are accepted and wait"
	}
	switch {
	case s.StoreTrouble != "":
		bad = append(bad, "The store "+s.StoreTrouble+waits)
	case !s.StoreOK:
		bad = append(bad, "The store does not answer"+waits)
	}
	for _, notice := range s.Notices {
		warn = append(warn, strings.TrimSuffix(notice, "."))
	}
	if s.BrokerOK {
		refused, waiting := judgeTargets(s.Targets, now)
		bad, warn = append(bad, refused...), append(warn, waiting...)
	}
	switch {
	case !failed.Known:
		warn = append(warn, "How many revocations have failed is not known: the list cannot be read")
	case failed.N > 0:
		warn = append(warn, count(failed.N, "revocation has", "revocations have")+" failed and wait for an operator")
	case !s.Projection.Ready && s.BrokerOK:
		warn = append(warn, "Whether revocations have failed is not known yet: the list is being read")
	}
	switch {
	case len(bad) > 0:
		return verdict{"bad", sentence(append(bad, warn...))}
	case len(warn) > 0:
		return verdict{"warn", sentence(warn)}
	default:
		return verdict{"", "All is well: nothing has failed, no target is paused."}
	}
}

// judgeTargets says which targets need somebody, and which wait.
func judgeTargets(targets []overview.Target, now time.Time) (bad, warn []string) {
	for _, t := range targets {
		name := where(t.Step, t.Name)
		switch {
		case t.Refused:
			bad = append(bad, name+" refuses the credentials of logoutd since "+moment(t.PausedSince, now)+" ("+t.PausedCode+"): somebody has to correct them")
		case t.Paused:
			warn = append(warn, name+" is paused since "+moment(t.PausedSince, now)+" ("+t.PausedCode+")")
		case !t.Configured && t.Pending > 0:
			warn = append(warn, name+" has no settings here, and "+count(t.Pending, "task", "tasks")+" waiting")
		case t.Oldest > longWait:
			warn = append(warn, name+" has "+count(t.Pending, "message", "messages")+" waiting, the oldest for "+long(t.Oldest))
		}
	}
	return bad, warn
}

func sentence(parts []string) string { return strings.Join(parts, ". ") + "." }
