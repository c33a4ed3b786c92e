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

// functions are what templates can call.
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
	// reasons say why a dry run leaves something out.
	reasons = map[string]string{
		"missing":           "gone: replayed or discarded since",
		"done":              "already done: the logout has finished since",
		"obsolete":          "obsolete: everything it would revoke is gone",
		"over_replay_limit": "over the replay limit: it failed after each of its replays, and needs force",
		"unreadable":        "cannot be read, so it cannot be replayed: discard it",
		"unknown":           "the store knows nothing of the user: look at the spelling, and the tenant",
		"nothing_live":      "nothing of the user from up to that time is live",
		"later":             "authenticated later",
		"not_text":          "has an id that is no UTF-8 text: revoke it by its session",
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
		"replayed": "replayed", "discarded": "discarded", "missing": "gone before their turn", "failed": "could not be replayed",
		"requested": "requested", "unfenced": "requested, in effect once a worker has done it", "gone": "gone before their turn",
		"delivered": "delivered, or not needed any more", "failed_again": "failed again", "pending": "waiting for a worker or a target",
		"not_known": "not known to be done", "unreadable": "cannot be read",
		"eligible": "eligible", "over_replay_limit": "over the replay limit", "done": "already done",
	}
)

// orSelf returns the words for a name, or the name made readable.
func orSelf(words map[string]string, name string) string {
	if text, ok := words[name]; ok {
		return text
	}
	return strings.ReplaceAll(name, "_", " ")
}

// thing is what a job of a kind works on.
func thing(kind string, n int) string {
	if kind == "revoke" {
		return count(n, "logout", "logouts")
	}
	return count(n, "letter", "letters")
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return number(n) + " " + many
}

// number groups the digits by three.
func number(n any) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// moment is a time in UTC as short as the day allows.
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

// long is a duration to two digits or so.
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

// perSecond writes three digits or so.
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

// jobIs is the colour of a job's state.
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

// where names step and target in one.
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

// short is enough of an id to tell it from others on a page.
func short(id string) string {
	const ends = 8
	if len(id) <= 2*ends+3 {
		return id
	}
	return id[:ends] + "…" + id[len(id)-ends:]
}

// tally is a number under a name.
type tally struct {
	Name string
	N    int
}

// ordered returns counts, the largest first.
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

// groupPage is the address of a group's letters.
func groupPage(g deadletters.Group) string {
	return "/console/failed?" + deadletters.Filter{Step: g.Step, Target: g.Target, Code: g.Code}.Values().Encode()
}

// fraction is n of total, of a width of 1000.
func fraction(n, total int) int { return 1000 * n / max(total, 1) }
