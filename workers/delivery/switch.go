package delivery

import (
	"context"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
)

// switchEvery is how often a worker looks whether its target was enabled or
// disabled elsewhere.
const switchEvery = 2 * time.Second

// disable disables the worker's target.
func (w *Worker) disable(ctx context.Context, f *Failure) {
	w.switching.Lock()
	defer w.switching.Unlock()
	w.setDisabled(true)
	d := broker.Disabled{Kind: w.step, Target: w.name, Since: events.At(time.Now()), Code: f.Code, Reason: f.Err.Error()}
	if err := broker.DisableTarget(context.WithoutCancel(ctx), w.JetStream, d); err != nil {
		w.setDisabled(false) // it answers so again
		broker.LogFailure(ctx, w.Logger, w.JetStream, "target cannot be disabled", "step", w.step, "target", w.name, "err", err)
		return
	}
	w.Logger.Error("target is disabled: it asked for no more deliveries; enable it with logoutd targets enable",
		"step", w.step, "target", w.name, "err", f, "answer", f.Answer)
}

// followSwitch follows what operators and other workers do, until ctx ends.
func (w *Worker) followSwitch(ctx context.Context) {
	for sleep(ctx, switchEvery) {
		w.readSwitch(ctx)
	}
}

// readSwitch takes over whether the target is disabled. If the broker does not
// tell, it stays as it was.
func (w *Worker) readSwitch(ctx context.Context) {
	w.switching.Lock()
	defer w.switching.Unlock()
	if disabled, err := broker.TargetDisabled(ctx, w.JetStream, w.step, w.name); err == nil {
		w.setDisabled(disabled)
	}
}

func (w *Worker) setDisabled(disabled bool) {
	w.breaker.setDisabled(disabled)
	w.Metrics.Disabled(w.step, w.name, disabled)
}
