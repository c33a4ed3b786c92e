package main

import (
	"net/url"
	"strconv"
	"time"

	"github.com/logoutd/logoutd/internal/deadletters"
)

// filterFlags filter dead letters. Without flags they select all.
type filterFlags struct {
	From        string `help:"Failed at or after this time: RFC 3339, or how long ago (90s, 1h)." placeholder:"TIME"`
	To          string `help:"Failed before this time." placeholder:"TIME"`
	Step        string `help:"Step that failed: revoke, push, decode."`
	Target      string `help:"Target." placeholder:"NAME"`
	Code        string `help:"Error code." placeholder:"CODE"`
	TenantID    string `help:"Tenant." placeholder:"ID"`
	AppID       string `help:"App." placeholder:"ID"`
	UserID      string `help:"User." placeholder:"ID"`
	DeviceID    string `help:"Device." placeholder:"ID"`
	MinAttempts int    `help:"Minimum number of attempts." placeholder:"N"`
	MaxAttempts int    `help:"Maximum number of attempts." placeholder:"N"`
}

// filter returns the filter of the flags.
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

// query returns the filter as a URL query.
func (f filterFlags) query() (url.Values, error) {
	filter, err := f.filter()
	return filter.Values(), err
}

// timeOf parses the value of a flag, a time or a duration in the past.
func timeOf(flag, text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if ago, wrong := time.ParseDuration(text); wrong == nil {
		at, err = time.Now().Add(-ago), nil
	}
	if err != nil {
		return time.Time{}, usage("use a time such as 2026-01-31T12:00:00Z, or a duration such as 90m for 90 minutes ago",
			"--%s: %q is neither a time nor a duration", flag, text)
	}
	return at.UTC(), nil
}

// some formats n for a table cell, empty for 0.
func some(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
