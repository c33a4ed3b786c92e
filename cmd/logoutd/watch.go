package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/schollz/progressbar/v3"
)

// watchEvery is how often the state of a job is requested.
const watchEvery = 500 * time.Millisecond

// watchJob shows the progress of a job until it ends, then prints the job. An
// interrupt stops the watching, not the job.
func watchJob(ctx context.Context, t *terminal, client clientFlags, output outputFlags, j job) error {
	bar := newBar(t, j)
	for !j.over() {
		_ = bar.Set(j.Position)
		if !waited(ctx, watchEvery) {
			_ = bar.Exit()
			return &failure{error: fmt.Errorf("no longer watching: job %s continues", j.ID),
				hint: "`logoutd jobs show --watch` follows it, `logoutd jobs cancel` cancels it", code: exitPart}
		}
		if err := client.ask(ctx, "GET", "/v1/jobs/"+url.PathEscape(j.ID), nil, &j); err != nil && ctx.Err() == nil {
			return err
		}
	}
	_ = bar.Set(j.Position)
	_ = bar.Exit()
	if err := printJob(t, output, j); err != nil {
		return err
	}
	if j.State != "done" {
		return &failure{error: fmt.Errorf("job %s is %s", j.ID, j.State), code: exitPart}
	}
	if text := j.incomplete(); text != "" {
		return &failure{error: fmt.Errorf("job %s is incomplete: %s", j.ID, text),
			hint: "`logoutd failed groups` shows what failed", code: exitPart}
	}
	return nil
}

// newBar returns a progress bar, which is visible only on a terminal.
func newBar(t *terminal, j job) *progressbar.ProgressBar {
	return progressbar.NewOptions(j.Total,
		progressbar.OptionSetWriter(t.err), progressbar.OptionSetVisibility(t.watched),
		progressbar.OptionSetDescription(j.Kind), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
}

// waited waits for d and reports true, or false if ctx ends first.
func waited(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
