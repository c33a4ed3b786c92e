package console

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/logoutd/logoutd/internal/audit"
)

// acknowledgeDamage acknowledges the reported losses of the broker.
func (c *console) acknowledgeDamage(v *visit) (view, error) {
	reason := strings.TrimSpace(v.PostFormValue("reason"))
	if reason == "" || len(reason) > maxReason {
		return view{}, &fault{http.StatusBadRequest, "The reason is missing or too long", "Enter at most 256 bytes: the reason is recorded in the audit log."}
	}
	found, err := c.Damage.Acknowledge()
	if err != nil {
		return view{}, err
	}
	selection, _ := json.Marshal(found) // strings and times: never fails
	ctx, cancel := context.WithTimeout(context.WithoutCancel(v.Context()), auditTimeout)
	defer cancel()
	err = c.Audit.AppendLater(ctx, audit.Entry{
		By: v.By(), Action: audit.ActionDamageAcknowledge, Reason: reason, Selection: selection, Address: c.Proxies.Client(v.Request).String(),
	})
	c.logUnaudited(err, "an acknowledgement", "by", v.By(), "reason", reason)
	return goTo("/console/"), nil
}
