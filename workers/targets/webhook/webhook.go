package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/workers/delivery"
	"github.com/logoutd/logoutd/workers/targets/httpcall"
)

// Kind is the kind of target webhook.
var Kind = delivery.Kind{Name: "webhook", Configure: configure, Describe: describe}

// settings are those of one target.
type settings struct {
	delivery.Settings `yaml:",inline"`
	// URL is an absolute http or https URL.
	URL string `yaml:"url"`
	// Secrets sign each request: whsec_… (v1) or whsk_… (v1a). The first is the
	// newest.
	Secrets []string `yaml:"secrets"`
	// Events are the types of events that are sent. Default all.
	Events []string `yaml:"events"`
	// Tenants and Apps are those whose events are sent. Default all.
	Tenants []string `yaml:"tenants"`
	Apps    []string `yaml:"apps"`
}

type target struct {
	settings
	signers []signer
	client  *httpcall.Client
}

func configure(decode func(any) error) (delivery.Settings, delivery.Target, error) {
	var s settings
	if err := decode(&s); err != nil {
		return s.Settings, nil, err
	}
	s.URL = strings.TrimSpace(s.URL)
	t := &target{settings: s, client: httpcall.NewClient(s.Settings, httpcall.NewMask(s.URL, nil).With(s.Secrets...))}
	var faults []error
	if u, err := url.Parse(s.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		faults = append(faults, errors.New("url: give an absolute http or https URL"))
	}
	if len(s.Secrets) == 0 {
		faults = append(faults, errors.New("secrets: give at least one, whsec_… or whsk_…"))
	}
	for i, secret := range s.Secrets {
		sign, err := newSigner(strings.TrimSpace(secret))
		if err != nil {
			faults = append(faults, fmt.Errorf("secrets[%d]: %w", i, err))
		}
		t.signers = append(t.signers, sign)
	}
	for _, name := range s.Events {
		if !slices.Contains(eventTypes(), name) {
			faults = append(faults, fmt.Errorf("events: %q is none of %s", name, strings.Join(eventTypes(), ", ")))
		}
	}
	return s.Settings, t, errors.Join(faults...)
}

func eventTypes() []string {
	return []string{events.TypeRevoked("session"), events.TypeRevoked("user"), events.TypeRevoked("device")}
}

// Plan implements [delivery.Target]: the public event, if the filters let it
// pass.
func (t *target) Plan(r delivery.Revocation) ([]delivery.Planned, error) {
	e := messages.RevokedEvent(r.Event, r.Request.TraceParent)
	passes := func(filter []string, value string) bool { return len(filter) == 0 || slices.Contains(filter, value) }
	if !passes(t.Events, e.Type) || !passes(t.Tenants, e.Data.TenantID) || !passes(t.Apps, e.Data.AppID) {
		return nil, nil
	}
	body, err := messages.Encode(e)
	if err != nil {
		return nil, err
	}
	return []delivery.Planned{{Key: t.Name, Payload: body}}, nil
}

// Obsolete implements [delivery.Target]. An event stays true.
func (t *target) Obsolete(context.Context, store.Store, messages.Delivery) (bool, error) {
	return false, nil
}

// Send implements [delivery.Target].
func (t *target) Send(ctx context.Context, d messages.Delivery) error {
	id := d.Request.ID
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.URL, bytes.NewReader(d.Payload))
	if err != nil {
		return &delivery.Failure{Class: delivery.Permanent, Code: httpcall.CodeBadValue, Err: errors.New("the URL makes no request")}
	}
	at := time.Now()
	signatures := make([]string, len(t.signers))
	for i, sign := range t.signers {
		if signatures[i], err = sign(id, at, d.Payload); err != nil {
			return &delivery.Failure{Class: delivery.Permanent, Code: httpcall.CodeBadValue, Err: err}
		}
	}
	req.Header.Set("Content-Type", events.ContentType)
	req.Header.Set("Webhook-Id", id)
	req.Header.Set("Webhook-Timestamp", fmt.Sprint(at.Unix()))
	req.Header.Set("Webhook-Signature", strings.Join(signatures, " "))
	if d.TraceParent != "" {
		req.Header.Set("traceparent", d.TraceParent)
	}
	answer, failure := t.client.Do(req)
	if failure == nil {
		failure = judge(answer)
	}
	if failure != nil {
		return failure
	}
	return nil
}

// judge returns what an answer says, nil where the event is delivered.
func judge(a httpcall.Answer) *delivery.Failure {
	f := a.Failure()
	wish := a.Header.Get("Webhook-Delivery")
	if f == nil && wish == "" {
		return nil
	}
	if f == nil {
		f = &delivery.Failure{Code: "webhook_delivery", Err: fmt.Errorf("the target answers webhook-delivery: %s", wish)}
	}
	switch {
	case a.Status == http.StatusGone, wish == "disable":
		f.Class = delivery.Gone
	case wish == "abort-message":
		f.Class = delivery.Permanent
	case a.Status/100 == 2:
		return nil
	case a.Status == http.StatusBadGateway, a.Status == http.StatusGatewayTimeout:
		f.Class = delivery.Throttled
	case a.Status/100 == 3:
		f.Class = delivery.Unreachable
	}
	return f
}

func describe(payload jsontext.Value) []messages.Detail {
	var e events.Event[events.Revoked]
	if json.Unmarshal(payload, &e) != nil {
		return nil
	}
	return []messages.Detail{
		{Name: "Event", Value: e.Type}, {Name: "Webhook id", Value: e.ID}, {Name: "Sessions", Value: fmt.Sprint(len(e.Data.SessionIDs))},
	}
}
