package handlers_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// effects returns what a request has brought about, and checks that nothing
// shows a token.
func (w *world) effects(t *testing.T, request string) []string {
	t.Helper()
	names := map[string]string{}
	for _, token := range append(tokens.FindAllString(request, -1), w.sessions...) {
		names[store.TokenID(token)] = token
	}
	var out []string
	for _, r := range w.published(t) {
		described := "published " + describe(r, names)
		if expiry := w.expiries[r.SessionID]; !expiry.IsZero() && r.Cutoff.Equal(expiry) {
			described += " up to its expiry"
		}
		out = append(out, described)
	}
	if len(w.sessions) > 0 {
		out = append(out, "live "+w.live(t))
	}
	out = append(out, w.counts(t)...)
	if leak := tokens.FindString(w.logs.String()); leak != "" {
		t.Errorf("logs show %s", leak)
	}
	return out
}

// tokens match the tokens that tests use: nothing else begins with tok-.
var tokens = regexp.MustCompile(`tok-[A-Za-z0-9-]+`)

// published returns the requests published since the last call.
func (w *world) published(t *testing.T) []messages.Request {
	t.Helper()
	msgs := w.broker.Messages(messages.StreamRequests)
	var requests []messages.Request
	for _, msg := range msgs[w.read:] {
		if leak := tokens.Find(msg.Data); leak != nil {
			t.Errorf("event shows %s", leak)
		}
		batch, err := messages.DecodeRequests(msg.Data)
		if err != nil {
			t.Fatal(err)
		}
		requests = append(requests, batch...)
	}
	w.read = len(msgs)
	return requests
}

func describe(r messages.Request, names map[string]string) string {
	parts := []string{r.Dialect, r.Scope, names[r.SessionID]}
	for _, id := range []struct{ key, value string }{
		{"user", r.UserID}, {"tenant", r.TenantID}, {"device", r.DeviceID}, {"app", r.AppID},
	} {
		if id.value != "" {
			parts = append(parts, id.key+"="+id.value)
		}
	}
	if !r.Fenced {
		parts = append(parts, "not fenced")
	}
	return strings.Join(parts, " ")
}

func (w *world) live(t *testing.T) string {
	t.Helper()
	var live []string
	for _, token := range w.sessions {
		states, err := w.store.Sessions(t.Context(), []string{store.TokenID(token)})
		if err != nil {
			t.Fatal(err)
		}
		if states[0].Active {
			live = append(live, token)
		}
	}
	if live == nil {
		return "none"
	}
	return strings.Join(live, " ")
}

// counts returns the counters that rose since the last call.
func (w *world) counts(t *testing.T) []string {
	t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	rose := map[string]string{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			key := strings.TrimPrefix(family.GetName(), "logoutd_")
			for _, label := range metric.GetLabel() {
				key += " " + label.GetValue()
			}
			now := metric.GetCounter().GetValue()
			if n := now - w.counted[key]; n > 0 {
				rose[key] = fmt.Sprintf("%s +%v", key, n)
			}
			w.counted[key] = now
		}
	}
	return slices.Sorted(maps.Values(rose))
}
