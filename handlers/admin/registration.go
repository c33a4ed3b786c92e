package admin

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/logoutd/logoutd/internal/providers"
	"github.com/logoutd/logoutd/store"
)

// storeTimeout bounds one call of the store.
const storeTimeout = 10 * time.Second

// kind describes one kind of registration.
type kind[T any] struct {
	read   func(*object) T
	write  func(context.Context, []T) ([]store.PutResult, error)
	answer func(item T, id string) any
	// accepted is called for each registered item, unless it is nil.
	accepted func(T)
}

// put registers the item in the body.
func put[T any](a *api, k kind[T]) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		item, result, err := k.put(w, r)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		status := http.StatusOK
		if result.Created {
			status = http.StatusCreated
		}
		answer(w, status, k.answer(item, result.ID))
	}
}

func (k kind[T]) put(w http.ResponseWriter, r *http.Request) (item T, _ store.PutResult, _ error) {
	o, err := body(w, r)
	if err != nil {
		return item, store.PutResult{}, err
	}
	item = k.read(o)
	if err := o.done(); err != nil {
		return item, store.PutResult{}, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), storeTimeout)
	defer cancel()
	results, err := k.register(ctx, []T{item})
	if err != nil {
		return item, store.PutResult{}, err
	}
	return item, results[0], results[0].Err
}

// register writes items, and calls accepted for each accepted one.
func (k kind[T]) register(ctx context.Context, items []T) ([]store.PutResult, error) {
	results, err := k.write(ctx, items)
	if err != nil || k.accepted == nil {
		return results, err
	}
	for i, result := range results {
		if result.Err == nil {
			k.accepted(items[i])
		}
	}
	return results, nil
}

func (a *api) sessions() kind[store.Session] {
	return kind[store.Session]{read: readSession, write: a.Store.PutSessions, answer: func(_ store.Session, id string) any {
		return struct {
			SessionID string `json:"session_id"`
			CSRFToken string `json:"csrf_token"`
		}{id, a.CSRFToken(id)}
	}}
}

func readSession(o *object) store.Session {
	return store.Session{
		ID: o.newSession(), User: o.user(), DeviceID: o.optional("device_id", maxID), AppID: o.optional("app_id", maxID),
		Kind: o.kind(), AuthenticatedAt: o.time("authenticated_at"), ExpiresAt: o.future("expires_at"),
	}
}

// refreshToken also keeps rotated_from as sent: a token of 32 bytes looks like an
// id, and callers send either.
type refreshToken struct {
	store.RefreshToken
	rotatedFrom string
}

func (a *api) refreshTokens() kind[refreshToken] {
	return kind[refreshToken]{read: readRefreshToken, write: a.putRefreshTokens, answer: func(_ refreshToken, id string) any {
		return struct {
			RefreshTokenID string `json:"refresh_token_id"`
		}{id}
	}}
}

func readRefreshToken(o *object) refreshToken {
	if o.has("session_id") && o.has("rotated_from") {
		o.refuse("rotated_from", "set either session_id or rotated_from, not both: the new token inherits the session of the replaced one")
	}
	t := refreshToken{RefreshToken: store.RefreshToken{
		ID: store.TokenID(o.required("refresh_token", maxToken)), User: o.user(), SessionID: o.sessionID(),
		AppID: o.optional("app_id", maxID), AuthenticatedAt: o.time("authenticated_at"), ExpiresAt: o.future("expires_at"),
	}, rotatedFrom: o.optional("rotated_from", maxToken)}
	if t.rotatedFrom != "" {
		t.RotatedFrom = store.TokenID(t.rotatedFrom)
	}
	return t
}

// putRefreshTokens treats rotated_from as a token, and if no such token exists,
// as an id.
func (a *api) putRefreshTokens(ctx context.Context, tokens []refreshToken) ([]store.PutResult, error) {
	items := make([]store.RefreshToken, len(tokens))
	for i, t := range tokens {
		items[i] = t.RefreshToken
	}
	results, err := a.Store.PutRefreshTokens(ctx, items)
	if err != nil {
		return nil, err
	}
	for i, t := range tokens {
		if t.rotatedFrom == "" || !errors.Is(results[i].Err, store.ErrUnknownParent) {
			continue
		}
		if results[i], err = a.putRotatedFromID(ctx, t); err != nil {
			return nil, err
		}
	}
	return results, nil
}

func (a *api) putRotatedFromID(ctx context.Context, t refreshToken) (store.PutResult, error) {
	unknown := store.PutResult{Err: invalid("rotated_from", "unknown refresh token: register it first")}
	if !store.ValidTokenID(t.rotatedFrom) {
		return unknown, nil
	}
	t.RotatedFrom = t.rotatedFrom
	results, err := a.Store.PutRefreshTokens(ctx, []store.RefreshToken{t.RefreshToken})
	if err != nil {
		return store.PutResult{}, err
	}
	if errors.Is(results[0].Err, store.ErrUnknownParent) {
		return unknown, nil
	}
	return results[0], nil
}

func (a *api) pushRegistrations() kind[store.PushRegistration] {
	return kind[store.PushRegistration]{
		read: readPushRegistration, write: a.Store.PutPushRegistrations,
		accepted: func(r store.PushRegistration) {
			if !a.configured(r.Provider) {
				a.Providers.Note(r.Provider, providers.Registered)
			}
		},
		answer: func(r store.PushRegistration, id string) any {
			return struct {
				PushRegistrationID string   `json:"push_registration_id"`
				Warnings           []string `json:"warnings,omitempty"`
			}{id, a.warnings(r.Provider)}
		},
	}
}

func (a *api) configured(provider string) bool {
	return a.Providers == nil || a.Providers.Configured(provider)
}

// warnings returns the warnings about a push registration.
func (a *api) warnings(provider string) []string {
	if a.configured(provider) {
		return nil
	}
	return []string{"the provider " + provider + " is not configured: a logout deletes the registration without telling the provider; " +
		"use a configured provider, or add this one to the settings"}
}

// providerName matches the names that can be part of a subject.
var providerName = regexp.MustCompile(`^[A-Za-z0-9_-]*$`)

func readPushRegistration(o *object) store.PushRegistration {
	r := store.PushRegistration{
		User: o.user(), DeviceID: o.required("device_id", maxID), AppID: o.optional("app_id", maxID),
		Provider: o.required("provider", maxID), PushToken: o.required("push_token", maxToken),
		SessionID: o.sessionID(), RegisteredAt: o.time("registered_at"),
	}
	if !providerName.MatchString(r.Provider) {
		o.refuse("provider", "must consist of letters, digits, \"-\" and \"_\"")
	}
	return r
}
