package admin_test

import (
	"net/http"
	"testing"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/handlers/admin"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
)

// TestTargets: deliveries of a kind that is no more are listed, moved to another
// kind and discarded; a disabled target is enabled.
func TestTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *admin.Config) { c.Kinds = []string{"http", "webhook"} })
	d := testkit.Delivery()
	d.Kind, d.Target = "push", "fcm"
	w.put(broker.DisableTarget(t.Context(), w.broker.JS, broker.Disabled{Kind: "push", Target: "fcm", Since: events.At(testkit.Noon.Time), Code: "http_410", Reason: "gone"}))
	w.put(w.config.Publisher.DeliveryAgain(t.Context(), d, 1))
	list := func() []any {
		all, _ := w.must(http.StatusOK, "GET", "/v1/targets", "").body["targets"].([]any)
		return all[1:] // the first is configured
	}
	if all := list(); len(all) != 1 || at(all[0], "step") != "push" || at(all[0], "name") != "fcm" || at(all[0], "configured") != false ||
		at(all[0], "disabled") != true || at(all[0], "disabled_reason") != "gone" {
		t.Errorf("targets %v", all)
	}
	if a := w.must(http.StatusOK, "POST", "/v1/targets/push/fcm/enable", ""); a.body["enabled"] != true {
		t.Errorf("%v", a.body)
	}
	w.must(http.StatusBadRequest, "POST", "/v1/targets/push/fcm/move", `{"kind":"push"}`)
	if a := w.must(http.StatusOK, "POST", "/v1/targets/push/fcm/move", `{"kind":"http"}`); a.body["moved"] != 1.0 || a.body["more"] != false {
		t.Errorf("%v", a.body)
	}
	msgs := w.broker.Messages(messages.StreamTasks)
	if len(msgs) != 1 || msgs[0].Subject != messages.SubjectTask("http", "fcm") {
		t.Fatalf("messages %v", msgs)
	}
	if moved, err := messages.DecodeDelivery(msgs[0].Data); err != nil || moved.Kind != "http" || moved.ID != d.ID {
		t.Errorf("moved %+v, %v", moved, err)
	}
	w.must(http.StatusBadRequest, "POST", "/v1/targets/http/fcm/discard", `{"deliveries":1}`)
	w.must(http.StatusConflict, "POST", "/v1/targets/http/fcm/discard", `{"reason":"test","deliveries":0}`)
	if a := w.must(http.StatusOK, "POST", "/v1/targets/http/fcm/discard", `{"reason":"test","deliveries":1}`); a.body["discarded"] != 1.0 {
		t.Errorf("%v", a.body)
	}
	if all := list(); len(all) != 0 {
		t.Errorf("targets %v", all)
	}
	if n := len(w.audited("")); n != 3 {
		t.Errorf("%d entries in the audit log, want 3", n)
	}
}

func (w *world) put(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}
