package admin

import (
	"context"
	"net/http"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/subscribers"
)

// subscriber is a subscriber in JSON, without its password.
type subscriber struct {
	Name      string      `json:"name"`
	Consumers []string    `json:"consumers"`
	CreatedAt events.Time `json:"created_at"`
	CreatedBy string      `json:"created_by"`
	Revoked   bool        `json:"revoked"`
}

func showSubscriber(s subscribers.Subscriber) subscriber {
	return subscriber{s.Name, s.Consumers, events.At(s.CreatedAt), s.CreatedBy, s.Revoked}
}

func (a *api) listSubscribers(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	list, err := a.Subscribers.List(r.Context())
	return http.StatusOK, struct {
		Subscribers []subscriber `json:"subscribers"`
	}{each(list, showSubscriber)}, err
}

// createSubscriber answers with the password, only this once. If the audit log
// cannot be written, it does not return the password, so that nobody has it.
func (a *api) createSubscriber(w http.ResponseWriter, r *http.Request) (int, any, error) {
	o, err := body(w, r)
	if err != nil {
		return 0, nil, err
	}
	about := struct {
		Name      string `json:"name"`
		Consumers int    `json:"consumers"`
	}{o.required("name", maxID), 1}
	o.take("consumers", &about.Consumers, "a number")
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	var made subscribers.Credential
	err = a.act(r, func(ctx context.Context) (_ audit.Entry, err error) {
		made, err = a.Subscribers.Create(ctx, about.Name, about.Consumers, callerOf(r))
		return audit.Entry{Action: audit.ActionSubscriberCreate, Selection: subject(about)}, err
	})
	return http.StatusCreated, struct {
		subscriber
		Password string `json:"password"`
		Account  string `json:"nats_account,omitempty"`
	}{showSubscriber(made.Subscriber), made.Password, made.Account}, err
}

func (a *api) revokeSubscriber(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	about := struct {
		Name string `json:"name"`
	}{r.PathValue("name")}
	err := a.act(r, func(ctx context.Context) (audit.Entry, error) {
		return audit.Entry{Action: audit.ActionSubscriberRevoke, Selection: subject(about)}, a.Subscribers.Revoke(ctx, about.Name)
	})
	account := ""
	if a.Subscribers.External() {
		account = broker.SubscriberAccount(about.Name)
	}
	return http.StatusOK, struct {
		Name    string `json:"name"`
		Account string `json:"nats_account,omitempty"`
	}{about.Name, account}, err
}
