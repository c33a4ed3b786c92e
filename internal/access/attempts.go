package access

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/time/rate"
)

// Limits of wrong tokens. A token has at least 32 bytes, so that even a
// million times as many would not find one: the limits keep guesses from
// costing time, and from filling the log.
const (
	wrongPerAddress = 20 // at once, and wrongPerSecond from then on
	wrongPerToken   = 50 // of the same wrong token, such as one that was revoked and is still in use somewhere
	wrongPerSecond  = 1
	// maxTracked bounds the memory for addresses, for wrong tokens, and for the
	// names of revoked ones: a few hundred bytes each.
	maxTracked = 10_000
)

// Errors of [Attempts.Authenticate].
var (
	ErrWrong     = errors.New("the token is none of this server's, or was revoked")
	ErrThrottled = errors.New("too many wrong tokens")
)

// ThrottledFor is how long somebody waits after [ErrThrottled].
const ThrottledFor = time.Second

// Attempts lets callers in by their tokens, slows guessing down, and reports
// what was refused. A right token is always let in: it is found by its hash
// before any limit counts, so that guesses from an address, such as a proxy or a
// NAT that attackers share, lock nobody out. It is safe for concurrent use.
type Attempts struct {
	tokens *Tokens
	report func(Refusals)
	total  *prometheus.CounterVec
	wake   chan struct{}

	mu        sync.Mutex
	addresses map[netip.Prefix]*rate.Limiter // of IPv6 by /64, which one client has for itself
	wrong     map[Hash]*rate.Limiter
	refused   Refusals
}

// NewAttempts returns the attempts on tokens. report gets what was refused, at
// intervals; nil: nobody does. A nil registerer: no metrics.
func NewAttempts(tokens *Tokens, report func(Refusals), r prometheus.Registerer) *Attempts {
	if report == nil {
		report = func(Refusals) {}
	}
	a := &Attempts{
		tokens: tokens, report: report, wake: make(chan struct{}, 1),
		addresses: map[netip.Prefix]*rate.Limiter{}, wrong: map[Hash]*rate.Limiter{},
		total: promauto.With(r).NewCounterVec(prometheus.CounterOpts{
			Name: "logoutd_access_refused_total",
			Help: "Refused admin tokens, by reason: unknown, revoked, throttled (guessing), role (the token may not do this).",
		}, []string{"reason"}),
	}
	for _, reason := range []string{reasonUnknown, reasonRevoked, reasonThrottled, reasonRole} {
		a.total.WithLabelValues(reason) // so that the first one is an increase
	}
	return a
}

// Reasons of refusals.
const (
	reasonUnknown   = "unknown"
	reasonRevoked   = "revoked"
	reasonThrottled = "throttled"
	reasonRole      = "role" // the token is right, its role is not enough
)

// Authenticate returns who presents a token from an address, or [ErrWrong] or
// [ErrThrottled].
func (a *Attempts) Authenticate(address netip.Addr, presented string) (Caller, error) {
	token := HashOf(presented)
	if caller, right := a.tokens.Standing(token); right {
		return caller, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	known := a.wrong[token]
	byAddress := limiter(a.addresses, networkOf(address), wrongPerAddress)
	if known == nil && byAddress.Tokens() < 1 {
		a.note(address, reasonThrottled, "")
		return Caller{}, ErrThrottled
	}
	if known == nil { // the same one again is no new guess
		byAddress.Allow()
		known = limiter(a.wrong, token, wrongPerToken)
	}
	name := a.tokens.revokedName(token)
	if a.tokens.Loaded() && !known.Allow() {
		a.note(address, reasonThrottled, name)
		return Caller{}, ErrThrottled
	}
	reason := reasonUnknown
	if name != "" {
		reason = reasonRevoked
	}
	a.note(address, reason, name)
	return Caller{}, ErrWrong
}

// networkOf returns what one client has for itself.
func networkOf(address netip.Addr) netip.Prefix {
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	network, _ := address.Prefix(bits) // of no address: the zero value
	return network
}

func limiter[K comparable](all map[K]*rate.Limiter, key K, burst int) *rate.Limiter {
	if all[key] == nil {
		limit(all)
		all[key] = rate.NewLimiter(wrongPerSecond, burst)
	}
	return all[key]
}

// limit makes room for one more entry.
func limit[K comparable, V any](all map[K]V) {
	for key := range all {
		if len(all) < maxTracked {
			return
		}
		delete(all, key)
	}
}

// Refusals are what was refused in a time.
type Refusals struct {
	Total     int            `json:"total"`
	Addresses map[string]int `json:"addresses"`        // at most 10, with how often
	Others    int            `json:"others,omitempty"` // from other addresses
	Tokens    []string       `json:"tokens,omitempty"` // names of those that are known
	Reasons   map[string]int `json:"-"`                // unknown, revoked, role, throttled
}

const (
	maxAddresses = 10 // in one report
	maxNames     = 10
)

// Forbidden notes that a token was right and its role not enough.
func (a *Attempts) Forbidden(address netip.Addr, caller Caller) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.note(address, reasonRole, caller.Name)
}

// note counts a refusal. The caller holds mu.
func (a *Attempts) note(address netip.Addr, reason, name string) {
	r := &a.refused
	if r.Addresses == nil {
		*r = Refusals{Addresses: map[string]int{}, Reasons: map[string]int{}}
	}
	r.Total++
	r.Reasons[reason]++
	a.total.WithLabelValues(reason).Inc()
	text := "unknown"
	if address.IsValid() {
		text = address.String()
	}
	if r.Addresses[text] > 0 || len(r.Addresses) < maxAddresses {
		r.Addresses[text]++
	} else {
		r.Others++
	}
	known := name == "" || len(r.Tokens) >= maxNames
	for _, n := range r.Tokens {
		known = known || n == name
	}
	if !known {
		r.Tokens = append(r.Tokens, name)
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Intervals of reports: the first comes at once, those of a flood ever rarer,
// some 30 a day.
const (
	firstReport = time.Second
	nextReport  = time.Minute
	lastReport  = time.Hour
)

// Run reports until ctx ends, and returns nil.
func (a *Attempts) Run(ctx context.Context) error {
	for {
		select {
		case <-a.wake:
		case <-ctx.Done():
			a.flush()
			return nil
		}
		for wait := firstReport; ; wait = min(max(nextReport, 2*wait), lastReport) {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				a.flush()
				return nil
			}
			if !a.flush() {
				break
			}
		}
	}
}

// flush reports what there is, and tells whether there was something.
func (a *Attempts) flush() bool {
	a.mu.Lock()
	r := a.refused
	a.refused = Refusals{}
	a.mu.Unlock()
	if r.Total > 0 {
		a.report(r)
	}
	return r.Total > 0
}
