package console

import (
	"strings"
	"time"

	"github.com/logoutd/logoutd/operations/overview"
)

// verdict is the state of things in a sentence. Mood is a class of the style
// sheet: bad, warn or none.
type verdict struct {
	Mood, Words string
}

// judge says what an operator has to know first.
func judge(s overview.Snapshot, now time.Time) verdict {
	var bad, warn []string
	switch {
	case s.At.IsZero():
		return verdict{"warn", "Nothing has been measured yet."}
	case !s.BrokerOK:
		bad = append(bad, "The broker does not answer: logouts are refused with 503, and clients try again")
	}
	if !s.StoreOK {
		bad = append(bad, "The store does not answer: logouts are accepted and wait")
	}
	for _, t := range s.Targets {
		switch {
		case t.Paused:
			warn = append(warn, where(t.Step, t.Name)+" is paused since "+moment(t.PausedSince, now)+" ("+t.PausedCode+")")
		case !t.Configured && t.Pending > 0:
			warn = append(warn, where(t.Step, t.Name)+" has no settings here, and "+count(t.Pending, "task", "tasks")+" waiting")
		}
	}
	if s.Failed > 0 {
		warn = append(warn, count(s.Failed, "revocation has", "revocations have")+" failed and wait for an operator")
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

func sentence(parts []string) string { return strings.Join(parts, ". ") + "." }
