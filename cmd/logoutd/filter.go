package main

import (
	"net/url"
	"strconv"
	"time"

	"github.com/logoutd/logoutd/internal/deadletters"
)

// filterFlags choose dead letters. Without any they choose all.
type filterFlags struct {
	From        string `help:"Failed at this time or later: RFC 3339, or how long ago (90s, 1h)." placeholder:"TIME"`
	To          string `help:"Failed before this time." placeholder:"TIME"`
	Step        string `help:"Step that failed: revoke, push, decode."`
	Target      string `help:"Push provider." placeholder:"NAME"`
	Code        string `help:"Error code." placeholder:"CODE"`
	TenantID    string `help:"Tenant." placeholder:"ID"`
	AppID       string `help:"App." placeholder:"ID"`
	UserID      string `help:"User." placeholder:"ID"`
	DeviceID    string `help:"Device." placeholder:"ID"`
	MinAttempts int    `help:"This many attempts or more." placeholder:"N"`
	MaxAttempts int    `help:"This many attempts or fewer." placeholder:"N"`
}

// filter returns the filter that the flags describe.
func (f filterFlags) filter() (deadletters.Filter, error) {
	filter := deadletters.Filter{
		Step: f.Step, Target: f.Target, Code: f.Code, Tenant: f.TenantID, App: f.AppID, User: f.UserID, Device: f.DeviceID,
		MinAttempts: f.MinAttempts, MaxAttempts: f.MaxAttempts,
	}
	var err error
	if f.From != "" {
		if filter.From, err = timeOf("from", f.From); err != nil {
			return filter, err
		}
	}
	if f.To != "" {
		filter.To, err = timeOf("to", f.To)
	}
	return filter, err
}

// query returns the filter as the query of a URL.
func (f filterFlags) query() (url.Values, error) {
	filter, err := f.filter()
	return filter.Values(), err
}

// timeOf reads a flag's time, or how long ago it is.
func timeOf(flag, text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if ago, wrong := time.ParseDuration(text); wrong == nil {
		at, err = time.Now().Add(-ago), nil
	}
	if err != nil {
		return time.Time{}, usage("for example 2026-01-31T12:00:00Z, or 90m for that long ago",
			"--%s: %q is neither a time nor how long ago", flag, text)
	}
	return at.UTC(), nil
}

// some is n as a cell of a table, empty for 0.
func some(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
