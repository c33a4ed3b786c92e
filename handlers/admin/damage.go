package admin

import (
	"context"
	"net/http"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/damage"
)

// finding is a loss of a stream.
type finding struct {
	Stream  string      `json:"stream"`
	FoundAt events.Time `json:"found_at"`
	Text    string      `json:"text"`
}

func showFinding(f damage.Finding) finding { return finding{f.Stream, events.At(f.FoundAt), f.Text} }

func (a *api) listDamage(http.ResponseWriter, *http.Request) (int, any, error) {
	return http.StatusOK, struct {
		Findings []finding `json:"findings"`
	}{each(a.Damage.Findings(), showFinding)}, nil
}

// acknowledgeDamage acknowledges the reported losses.
func (a *api) acknowledgeDamage(w http.ResponseWriter, r *http.Request) (int, any, error) {
	o, err := body(w, r)
	if err != nil {
		return 0, nil, err
	}
	reason := o.required("reason", maxReason)
	if err := o.done(); err != nil {
		return 0, nil, err
	}
	var found []damage.Finding
	err = a.act(r, func(context.Context) (_ audit.Entry, err error) {
		found, err = a.Damage.Acknowledge()
		return audit.Entry{Action: audit.ActionDamageAcknowledge, Reason: reason, Selection: subject(each(found, showFinding))}, err
	})
	return http.StatusOK, struct {
		Findings []finding `json:"findings"`
	}{each(found, showFinding)}, err
}
