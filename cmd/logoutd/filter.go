package main

import (
	"fmt"
	"net/url"
	"strconv"
	"time"
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

// chosen returns what is chosen, by its name in the API.
func (f filterFlags) chosen() (map[string]any, error) {
	chosen := map[string]any{}
	for name, value := range map[string]string{
		"step": f.Step, "target": f.Target, "code": f.Code,
		"tenant_id": f.TenantID, "app_id": f.AppID, "user_id": f.UserID, "device_id": f.DeviceID,
	} {
		if value != "" {
			chosen[name] = value
		}
	}
	for name, value := range map[string]int{"min_attempts": f.MinAttempts, "max_attempts": f.MaxAttempts} {
		if value != 0 {
			chosen[name] = value
		}
	}
	for name, value := range map[string]string{"from": f.From, "to": f.To} {
		if value == "" {
			continue
		}
		at, err := timeOf(name, value)
		if err != nil {
			return nil, err
		}
		chosen[name] = at
	}
	return chosen, nil
}

// query returns what is chosen as a query of a URL.
func (f filterFlags) query() (url.Values, error) {
	chosen, err := f.chosen()
	query := url.Values{}
	for name, value := range chosen {
		query.Set(name, fmt.Sprint(value))
	}
	return query, err
}

// timeOf returns what a flag says, a time or how long ago it is, as the API
// wants it.
func timeOf(flag, text string) (string, error) {
	at, err := time.Parse(time.RFC3339, text)
	if ago, wrong := time.ParseDuration(text); wrong == nil {
		at, err = time.Now().Add(-ago), nil
	}
	if err != nil {
		return "", usage("for example 2026-01-31T12:00:00Z, or 90m for that long ago",
			"--%s: %q is neither a time nor how long ago", flag, text)
	}
	return at.UTC().Format(time.RFC3339Nano), nil
}

// some is n as a cell of a table, empty for 0.
func some(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
