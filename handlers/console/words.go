package console

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/version"
)

// functions are the functions that templates can call.
var functions = template.FuncMap{
	"asset":    func(name string) string { return root + "assets/" + name + "?v=" + stamp },
	"version":  version.String,
	"number":   number,
	"count":    count,
	"moment":   moment,
	"exact":    exact,
	"since":    since,
	"long":     long,
	"perSec":   perSecond,
	"kind":     func(kind string) string { return orSelf(kinds, kind) },
	"verb":     func(kind string) string { return orSelf(verbs, kind) },
	"thing":    thing,
	"reason":   func(reason string) string { return orSelf(reasons, reason) },
	"action":   func(action string) string { return orSelf(actions, action) },
	"outcome":  func(outcome string) string { return orSelf(outcomes, outcome) },
	"jobIs":    jobIs,
	"where":    where,
	"user":     user,
	"short":    short,
	"ordered":  ordered,
	"group":    groupPage,
	"fraction": fraction,
}

var (
	kinds = map[string]string{"replay": "Replay", "discard": "Discard", "revoke": "Bulk revocation"}
	verbs = map[string]string{"replay": "Replay", "discard": "Discard", "revoke": "Revoke"}
	// reasons say why a dry run excludes something.
	reasons = map[string]string{
		"missing":           "gone: replayed or discarded in the meantime",
		"done":              "already done: the logout has finished in the meantime",
		"obsolete":          "obsolete: nothing is left to revoke",
		"over_replay_limit": "over the replay limit: failed after every replay; needs force",
		"unreadable":        "unreadable: cannot be replayed, only discarded",
		"unknown":           "unknown user: check the spelling and the tenant",
		"nothing_live":      "nothing active: the user has no active session from before that time",
		"later":             "authenticated later",
		"not_text":          "the user id is not valid UTF-8: revoke the session instead",
	}
	actions = map[string]string{
		"login": "Logged in", "logout": "Logged out", "session.end": "Ended a session", "access.refused": "Refused tokens",
		"token.create": "Created a token", "token.revoke": "Revoked a token",
		"subscriber.create": "Created a subscriber", "subscriber.revoke": "Revoked a subscriber",
		"replay.start": "Started a replay", "discard.start": "Started a discard", "revoke.start": "Started a bulk revocation",
		"job.pause": "Paused a job", "job.resume": "Resumed a job", "job.cancel": "Cancelled a job", "job.finish": "Job finished",
		"revocation.create": "Revoked by API",
	}
	outcomes = map[string]string{
		"replayed": "replayed", "discarded": "discarded", "missing": "gone before they were processed", "failed": "could not be replayed",
		"requested": "requested", "unfenced": "requested, effective once a worker has revoked them", "gone": "gone before they were processed",
		"delivered": "delivered or no longer needed", "failed_again": "failed again", "pending": "waiting for a worker or a target",
		"not_known": "unknown", "unreadable": "unreadable",
		"eligible": "eligible", "over_replay_limit": "over the replay limit", "done": "already done",
	}
)

// orSelf returns the text for a name, or the name with spaces.
func orSelf(words map[string]string, name string) string {
	if text, ok := words[name]; ok {
		return text
	}
	return strings.ReplaceAll(name, "_", " ")
}

// thing returns the number of items of a job, with their noun.
func thing(kind string, n int) string {
	if kind == "revoke" {
		return count(n, "logout", "logouts")
	}
	return count(n, "dead letter", "dead letters")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// number groups digits by three.
func number(n any) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// moment formats a time in UTC, without the parts that are obvious today.
func moment(at, now time.Time) string {
	at, now = at.UTC(), now.UTC()
	switch {
	case at.IsZero():
		return "–"
	case at.YearDay() == now.YearDay() && at.Year() == now.Year():
		return at.Format("15:04:05")
	case now.Sub(at).Abs() < 300*24*time.Hour:
		return at.Format("2 Jan 15:04")
	default:
		return at.Format("2 Jan 2006")
	}
}

func exact(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

func since(at, now time.Time) string { return long(now.Sub(at)) }

// long formats a duration with about two digits.
func long(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 2*time.Minute:
		return strconv.Itoa(int(math.Round(d.Seconds()))) + " s"
	case d < 2*time.Hour:
		return strconv.Itoa(int(math.Round(d.Minutes()))) + " min"
	case d < 48*time.Hour:
		return strconv.Itoa(int(math.Round(d.Hours()))) + " h"
	default:
		return strconv.Itoa(int(math.Round(d.Hours()/24))) + " days"
	}
}

// perSecond formats a rate with about three digits.
func perSecond(rate float64) string {
	switch {
	case rate == 0:
		return "0"
	case rate < 10:
		return strconv.FormatFloat(rate, 'f', 1, 64)
	default:
		return number(int(math.Round(rate)))
	}
}

// jobIs returns the style class of a job's state.
func jobIs(job jobs.Job) string {
	switch job.State {
	case jobs.Done:
		if job.Counts[jobs.CountFailedAgain]+job.Counts[jobs.CountNotKnown] > 0 {
			return "warn"
		}
		return "good"
	case jobs.Failed:
		return "bad"
	case jobs.Paused:
		return "warn"
	case jobs.Running:
		return "info"
	default:
		return ""
	}
}

// where joins step and target.
func where(step, target string) string {
	if target == "" {
		return step
	}
	return step + " · " + target
}

func user(tenant, id string) string {
	if tenant == "" || id == "" {
		return id
	}
	return tenant + " / " + id
}

// short abbreviates an id to its first and last characters.
func short(id string) string {
	const ends = 8
	if len(id) <= 2*ends+3 {
		return id
	}
	return id[:ends] + "…" + id[len(id)-ends:]
}

// tally is a named count.
type tally struct {
	Name string
	N    int
}

// ordered returns counts, largest first.
func ordered(counts map[string]int) []tally {
	all := make([]tally, 0, len(counts))
	for name, n := range counts {
		all = append(all, tally{name, n})
	}
	slices.SortFunc(all, func(a, b tally) int {
		if a.N != b.N {
			return b.N - a.N
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all
}

// groupPage returns the URL of the dead letters of a group.
func groupPage(g deadletters.Group) string {
	return "/console/failed?" + deadletters.Filter{Step: g.Step, Target: g.Target, Code: g.Code}.Values().Encode()
}

// fraction returns n of total, in thousandths.
func fraction(n, total int) int { return 1000 * n / max(total, 1) }
