package http

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/batcher"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/workers/delivery"
	"github.com/logoutd/logoutd/workers/targets/httpcall"
)

// Kind is the kind of target http.
var Kind = delivery.Kind{Name: "http", Provider: true, Configure: configure, Describe: describe}

// settings are those of one target.
type settings struct {
	delivery.Settings `yaml:",inline"`
	// Method is the request's method. Default DELETE.
	Method string `yaml:"method"`
	// URL is an absolute http or https URL with placeholders {push_token},
	// {user_id}, {device_id}, {app_id} and {tenant_id}; values are escaped so
	// that they stay within one path segment or query value. A registration
	// whose values leave a path segment empty is given up at once.
	URL string `yaml:"url"`
	// Headers are sent as they are.
	Headers map[string]string `yaml:"headers"`
}

// registration is the payload of a delivery.
type registration struct {
	ID           string      `json:"id"`
	UserID       string      `json:"user_id"`
	TenantID     string      `json:"tenant_id,omitempty"`
	DeviceID     string      `json:"device_id"`
	AppID        string      `json:"app_id,omitempty"`
	Provider     string      `json:"provider"`
	PushToken    string      `json:"push_token"`
	RegisteredAt events.Time `json:"registered_at"`
}

// values returns what the placeholders stand for.
func (r registration) values() map[string]string {
	return map[string]string{
		"push_token": r.PushToken, "user_id": r.UserID, "device_id": r.DeviceID, "app_id": r.AppID, "tenant_id": r.TenantID,
	}
}

type target struct {
	settings
	client  *httpcall.Client
	recheck *batcher.Batcher[*check]
}

func configure(decode func(any) error) (delivery.Settings, delivery.Target, error) {
	var s settings
	if err := decode(&s); err != nil {
		return s.Settings, nil, err
	}
	if s.Method == "" {
		s.Method = http.MethodDelete
	}
	s.URL = strings.TrimSpace(s.URL)
	for name, value := range s.Headers {
		s.Headers[name] = strings.TrimSpace(value)
	}
	t := &target{settings: s, client: httpcall.NewClient(s.Settings, httpcall.NewMask(s.URL, s.Headers)), recheck: newRechecker()}
	return s.Settings, t, errors.Join(s.check()...)
}

// check returns every fault of what is the kind's own.
func (s settings) check() (faults []error) {
	known := registration{}.values()
	for _, match := range httpcall.Placeholder.FindAllStringSubmatch(s.URL, -1) {
		if _, ok := known[match[1]]; !ok {
			faults = append(faults, fmt.Errorf("url: unknown placeholder %s", match[0]))
		}
	}
	u, err := url.Parse(httpcall.Placeholder.ReplaceAllString(s.URL, "x"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		faults = append(faults, errors.New("url: give an absolute http or https URL"))
	} else if _, err := http.NewRequest(s.Method, u.String(), nil); err != nil {
		faults = append(faults, fmt.Errorf("method: %q is no HTTP method", s.Method))
	}
	for name, value := range s.Headers {
		if strings.ContainsFunc(name+value, unicode.IsControl) || strings.ContainsAny(name, " :") || name == "" {
			faults = append(faults, fmt.Errorf("headers: %q has a name or value that no header can have, such as a line break at its end", name))
		}
	}
	return faults
}

// Plan implements [delivery.Target]: the push registrations that name it.
func (t *target) Plan(r delivery.Revocation) ([]delivery.Planned, error) {
	var planned []delivery.Planned
	for _, reg := range r.PushRegistrations {
		if reg.Provider != t.Name {
			continue
		}
		payload, err := json.Marshal(registration{
			ID: reg.ID, UserID: reg.User.ID, TenantID: reg.User.TenantID, DeviceID: reg.DeviceID, AppID: reg.AppID,
			Provider: reg.Provider, PushToken: reg.PushToken, RegisteredAt: events.At(reg.RegisteredAt),
		}, jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return nil, fmt.Errorf("encoding push registration: %w", err)
		}
		planned = append(planned, delivery.Planned{Key: reg.ID, AppID: reg.AppID, DeviceID: reg.DeviceID, Payload: payload})
	}
	return planned, nil
}

// Obsolete implements [delivery.Target]. The device has registered again since
// the cutoff, or its push token belongs to a newer registration.
func (t *target) Obsolete(ctx context.Context, s store.Store, d messages.Delivery) (bool, error) {
	reg, err := decode(d)
	if err != nil {
		return false, nil // Send says so
	}
	c := &check{store: s, PushCheck: store.PushCheck{
		User: store.User{TenantID: reg.TenantID, ID: reg.UserID}, PushRegistrationID: reg.ID, Cutoff: d.Cutoff.Time,
		Provider: reg.Provider, PushToken: reg.PushToken, RegisteredAt: reg.RegisteredAt.Time,
	}}
	if err := t.recheck.Do(ctx, c); err != nil {
		return false, err
	}
	return c.again, nil
}

// Send implements [delivery.Target].
func (t *target) Send(ctx context.Context, d messages.Delivery) error {
	reg, err := decode(d)
	if err != nil {
		return &delivery.Failure{Class: delivery.Permanent, Code: httpcall.CodeBadValue, Err: err}
	}
	address, err := t.expand(reg)
	if err != nil {
		return &delivery.Failure{Class: delivery.Permanent, Code: httpcall.CodeBadValue, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, t.Method, address, nil)
	if err != nil { // its text would show the URL, and the push token in it
		return &delivery.Failure{Class: delivery.Permanent, Code: httpcall.CodeBadValue, Err: errors.New("the values do not make a URL")}
	}
	for name, value := range t.Headers {
		req.Header.Set(name, value)
	}
	if d.TraceParent != "" {
		req.Header.Set("traceparent", d.TraceParent)
	}
	answer, failure := t.client.Do(req, reg.PushToken)
	if failure == nil && answer.Status != http.StatusNotFound && answer.Status != http.StatusGone {
		failure = answer.Failure()
	}
	if failure != nil {
		return failure
	}
	return nil
}

func decode(d messages.Delivery) (reg registration, err error) {
	if err := json.Unmarshal(d.Payload, &reg); err != nil {
		return reg, errors.New("the payload is no push registration")
	}
	return reg, nil
}

// expand fills the template in. A path segment that becomes empty, "." or ".."
// is refused: it would name another resource, such as the collection of all
// registrations.
func (t *target) expand(reg registration) (string, error) {
	known := reg.values()
	fill := func(template string) string {
		return httpcall.Placeholder.ReplaceAllStringFunc(template, func(match string) string {
			return httpcall.Escape(known[match[1:len(match)-1]])
		})
	}
	path, query, hasQuery := strings.Cut(t.URL, "?")
	segments := strings.Split(path, "/")
	for i, template := range segments {
		segments[i] = fill(template)
		if segments[i] != template && strings.Trim(segments[i], ".") == "" && len(segments[i]) <= 2 {
			return "", fmt.Errorf("%s is %q, which cannot stand in a URL", template, segments[i])
		}
	}
	expanded := strings.Join(segments, "/")
	if hasQuery {
		expanded += "?" + fill(query)
	}
	return expanded, nil
}

func describe(payload jsontext.Value) []messages.Detail {
	var reg registration
	if json.Unmarshal(payload, &reg) != nil {
		return nil
	}
	return []messages.Detail{
		{Name: "Provider", Value: reg.Provider}, {Name: "Device", Value: reg.DeviceID}, {Name: "App", Value: reg.AppID},
		{Name: "Push token", Value: delivery.Hide(reg.PushToken)}, {Name: "Registered", Value: reg.RegisteredAt.String()},
	}
}
