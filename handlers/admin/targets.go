package admin

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deliveries"
	"github.com/logoutd/logoutd/internal/messages"
)

func (a *api) listTargets(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	all, err := a.Overview.Targets(r.Context())
	return http.StatusOK, struct {
		Targets []target `json:"targets"`
	}{each(all, showTarget)}, err
}

// targetOf returns the target that a path names.
func targetOf(r *http.Request) (messages.TargetName, error) {
	name := messages.TargetName{Kind: r.PathValue("kind"), Name: r.PathValue("name")}
	if !messages.ValidToken(name.Kind) || !messages.ValidToken(name.Name) {
		return name, newProblem(http.StatusBadRequest, "the kind and the name of a target are letters, digits, - and _: see GET /v1/targets")
	}
	return name, nil
}

// targetAction is what an entry of the audit log says of a target.
type targetAction struct {
	Kind    string `json:"kind"`
	Name    string `json:"name"`
	NewKind string `json:"new_kind,omitempty"`
}

func (a *api) enableTarget(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	target, err := targetOf(r)
	if err != nil {
		return 0, nil, err
	}
	enabled := false
	err = a.act(r, func(ctx context.Context) (_ audit.Entry, err error) {
		enabled, err = broker.EnableTarget(ctx, a.JetStream, target.Kind, target.Name)
		return audit.Entry{Action: audit.ActionTargetEnable, Selection: subject(targetAction{Kind: target.Kind, Name: target.Name})}, err
	})
	return http.StatusOK, struct {
		Enabled bool `json:"enabled"`
	}{enabled}, err
}

// discardDeliveries wants the number of deliveries as confirmation.
func (a *api) discardDeliveries(w http.ResponseWriter, r *http.Request) (int, any, error) {
	target, err := targetOf(r)
	if err != nil {
		return 0, nil, err
	}
	o, err := body(w, r)
	if err != nil {
		return 0, nil, err
	}
	reason, confirmed := o.required("reason", maxReason), 0
	if !o.take("deliveries", &confirmed, "a number") {
		o.refuse("deliveries", "is required: how many to discard at most, as GET /v1/targets says")
	}
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	discarded := 0
	err = a.act(r, func(ctx context.Context) (_ audit.Entry, err error) {
		discarded, err = deliveries.Discard(ctx, a.JetStream, target, confirmed)
		return audit.Entry{
			Action: audit.ActionTargetDiscard, Reason: reason, Selection: subject(targetAction{Kind: target.Kind, Name: target.Name}),
			Counts: map[string]int{"discarded": discarded},
		}, err
	})
	return http.StatusOK, struct {
		Discarded int `json:"discarded"`
	}{discarded}, err
}

func (a *api) moveDeliveries(w http.ResponseWriter, r *http.Request) (int, any, error) {
	target, err := targetOf(r)
	if err != nil {
		return 0, nil, err
	}
	o, err := body(w, r)
	if err != nil {
		return 0, nil, err
	}
	kind := o.required("kind", maxID)
	if !slices.Contains(a.Kinds, kind) || kind == target.Kind {
		o.refuse("kind", "must be another kind of target: %s", strings.Join(a.Kinds, ", "))
	}
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	moved, more := 0, false
	err = a.act(r, func(ctx context.Context) (_ audit.Entry, err error) {
		moved, more, err = deliveries.Move(ctx, a.JetStream, target, kind)
		return audit.Entry{
			Action: audit.ActionTargetMove, Selection: subject(targetAction{target.Kind, target.Name, kind}),
			Counts: map[string]int{"moved": moved},
		}, err
	})
	return http.StatusOK, struct {
		Moved int  `json:"moved"`
		More  bool `json:"more"`
	}{moved, more}, err
}
