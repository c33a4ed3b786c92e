package admin_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/handlers/admin"
	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/bulk"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/overview"
	"github.com/logoutd/logoutd/internal/replay"
	"github.com/logoutd/logoutd/internal/status"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/workers"
)

// operations gives the API what operators work with. Nothing runs yet.
func (w *world) operations() {
	w.t.Helper()
	c := &w.config
	var err error
	c.Letters, err = deadletters.Open(deadletters.Config{JetStream: c.JetStream, Path: filepath.Join(w.t.TempDir(), "letters.db"), Logger: c.Logger})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := c.Letters.Close(); err != nil {
			w.t.Error(err)
		}
	})
	works := map[string]jobs.Work{}
	c.Jobs = jobs.New(jobs.Config{JetStream: c.JetStream, Works: works, Logger: c.Logger, Instance: "test"})
	c.Replays = replay.New(replay.Config{Letters: c.Letters, DeadLetters: c.DeadLetters, Jobs: c.Jobs, Store: c.Store})
	c.Bulk = bulk.New(bulk.Config{Store: c.Store, Publisher: c.Publisher, Jobs: c.Jobs, Logger: c.Logger})
	maps.Copy(works, c.Replays.Works())
	maps.Copy(works, c.Bulk.Works())
	c.Status = status.New(status.Config{Store: c.Store, Letters: c.Letters, JetStream: c.JetStream})
	c.Overview = overview.New(overview.Config{
		JetStream: c.JetStream, Targets: []messages.TargetName{{Kind: "http", Name: "http"}}, Letters: c.Letters, Jobs: c.Jobs, Store: c.Store, Logger: c.Logger,
		Interval: 20 * time.Millisecond,
	})
}

// run runs something until the test ends.
func (w *world) run(f func(context.Context) error) {
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
	})
}

// settle waits until the projection has every dead letter.
func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	if err := w.config.Letters.Settled(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// until polls until ok.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	testkit.Eventually(w.t, what, ok, w.log)
}

// as sends a call with another token.
func (w *world) as(token, method, path, body string) answer {
	w.t.Helper()
	r := w.request(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	return w.do(r)
}

// named has named tokens beside the root token.
func named(c *admin.Config) {
	c.Tokens = access.New(access.Config{JetStream: c.JetStream, Root: adminToken, Logger: c.Logger})
	c.Token = ""
}

// dryRun returns the plan of a selection.
func (w *world) dryRun(path, selection string) answer {
	w.t.Helper()
	return w.must(http.StatusOK, "POST", path, `{"dry_run":true,`+selection+`}`)
}

// start starts a plan.
func (w *world) start(path string, plan answer) (job string) {
	w.t.Helper()
	return w.must(http.StatusAccepted, "POST", path, fmt.Sprintf(`{"token":%q,"reason":"the target is back"}`, plan.text("token"))).text("id")
}

// work has a worker do what is replayed and requested.
func (w *world) work() {
	w.run(workers.NewRevoker(workers.RevokerConfig{
		JetStream: w.config.JetStream, Publisher: w.config.Publisher, Store: w.config.Store,
		Metrics: workers.NewMetrics(prometheus.NewRegistry()), Logger: w.config.Logger,
	}).Run)
}

// finished waits for the end of a job.
func (w *world) finished(id string) answer {
	w.t.Helper()
	var job answer
	w.until("job "+id, func() bool {
		job = w.must(http.StatusOK, "GET", "/v1/jobs/"+id, "")
		return job.text("state") != "running"
	})
	return job
}

// audited returns the actions on the audit log, newest first.
func (w *world) audited(query string) (entries []map[string]any) {
	w.t.Helper()
	for _, e := range w.must(http.StatusOK, "GET", "/v1/audit"+query, "").body["audit"].([]any) {
		entries = append(entries, e.(map[string]any))
	}
	return entries
}
