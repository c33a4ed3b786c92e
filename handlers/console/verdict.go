package console

import (
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/overview"
)

// verdict is the overall state in words. Mood is a class of the style sheet:
// bad, warn or empty.
type verdict struct {
	Mood, Words string
}

// longWait is the age of a target's oldest message from which operators are
// warned although the target is not paused: longer than the first ten retries of
// one failing message take.
const longWait = 10 * time.Minute

// judge sums up what an operator needs to know first.
func judge(s overview.Snapshot, failed badge, now time.Time) verdict {
	var bad, warn []string
	switch {
	case s.At.IsZero():
		return verdict{"warn", "Nothing has been measured yet."}
	case !s.BrokerOK:
		bad = append(bad, "The broker does not answer: logouts are refused with 503, and clients retry. The backlog and the state of the targets are unknown")
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
		warn = append(warn, "The number of failed revocations is unknown: the list cannot be read")
	case failed.N > 0:
		warn = append(warn, count(failed.N, "revocation has", "revocations have")+" failed and need an operator")
	case !s.Projection.Ready && s.BrokerOK:
		warn = append(warn, "The number of failed revocations is not known yet: the list is being read")
	}
	switch {
	case len(bad) > 0:
		return verdict{"bad", sentence(append(bad, warn...))}
	case len(warn) > 0:
		return verdict{"warn", sentence(warn)}
	default:
		return verdict{"", "All good: nothing has failed, and no target is paused."}
	}
}

// judgeTargets returns the targets that need an operator, and those that wait.
func judgeTargets(targets []overview.Target, now time.Time) (bad, warn []string) {
	for _, t := range targets {
		name := where(t.Step, t.Name)
		switch {
		case t.Refused:
			bad = append(bad, name+" has refused logoutd's credentials since "+moment(t.PausedSince, now)+" ("+t.PausedCode+"): correct them")
		case t.Paused:
			warn = append(warn, name+": paused since "+moment(t.PausedSince, now)+" ("+t.PausedCode+")")
		case !t.Configured && t.Pending > 0:
			warn = append(warn, name+" is not configured here but has "+count(t.Pending, "pending delivery", "pending deliveries"))
		case t.Oldest > longWait:
			warn = append(warn, name+" has "+count(t.Pending, "waiting message", "waiting messages")+"; the oldest is "+long(t.Oldest)+" old")
		}
	}
	return bad, warn
}

func sentence(parts []string) string { return strings.Join(parts, ". ") + "." }
