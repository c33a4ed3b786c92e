package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/handlers/admin"
	"github.com/logoutd/logoutd/handlers/console"
	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/bulk"
	"github.com/logoutd/logoutd/internal/damage"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/overview"
	"github.com/logoutd/logoutd/internal/replay"
	"github.com/logoutd/logoutd/internal/status"
)

// operations is what the admin role serves to operators.
type operations struct {
	deadLetters *deadletters.DeadLetters
	letters     *deadletters.Letters
	jobs        *jobs.Jobs
	replays     *replay.Replays
	bulk        *bulk.Bulk
	status      *status.Statuses
	tokens      *access.Tokens
	sessions    *access.Sessions
	attempts    *access.Attempts
	audit       *audit.Log
	overview    *overview.Overview
	damage      *damage.Watch
}

// openOperations does not call the broker: an admin process can start without
// it.
func (s *service) openOperations(context.Context) (err error) {
	if !s.settings.has(roleAdmin) {
		return nil
	}
	o := &operations{deadLetters: deadletters.NewDeadLetters(s.js), audit: audit.New(s.js)}
	o.letters, err = deadletters.Open(deadletters.Config{
		JetStream: s.js, Path: filepath.Join(s.settings.DataDir, indexFile), Logger: s.logger,
	})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() {
		if err := o.letters.Close(); err != nil {
			s.logger.Error("closing the index of dead letters failed", "err", err)
		}
	})
	o.damage, err = damage.Open(damage.Config{
		JetStream: s.js, Path: filepath.Join(s.settings.DataDir, streamsFile), Logger: s.logger,
	})
	if err != nil {
		return err
	}
	s.notices.damage = o.damage
	s.metrics.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "logoutd_streams_damaged",
		Help: "Losses found in the broker's streams that no operator has acknowledged.",
	}, func() float64 { return float64(len(o.damage.Findings())) }))
	works := map[string]jobs.Work{}
	o.jobs = jobs.New(jobs.Config{
		JetStream: s.js, Works: works, Instance: instanceName(), Logger: s.logger, Changed: s.auditJob,
	})
	o.replays = replay.New(replay.Config{
		Letters: o.letters, DeadLetters: o.deadLetters, Jobs: o.jobs, Store: s.store, MaxReplays: s.settings.file.Retry.MaxReplays, RegistrationKinds: registrationKinds(),
	})
	o.bulk = bulk.New(bulk.Config{Store: s.store, Publisher: s.publisher, Jobs: o.jobs, Logger: s.logger})
	for _, kinds := range []map[string]jobs.Work{o.replays.Works(), o.bulk.Works()} {
		for kind, work := range kinds {
			works[kind] = work
		}
	}
	o.status = status.New(status.Config{Store: s.store, Letters: o.letters, JetStream: s.js})
	o.tokens = access.New(access.Config{JetStream: s.js, Root: s.adminToken, Logger: s.logger})
	o.sessions = access.NewSessions(access.SessionsConfig{JetStream: s.js, Tokens: o.tokens, Logger: s.logger})
	o.attempts = access.NewAttempts(o.tokens, s.recordRefusals, s.metrics)
	o.overview = overview.New(overview.Config{
		JetStream: s.js, Gatherer: s.frontMetrics, Targets: s.settings.targetNames(),
		Letters: o.letters, Jobs: o.jobs, Store: s.store, Notices: s.notices.all, Logger: s.logger,
	})
	s.operations = o
	return nil
}

// instanceName identifies the process that runs a job to operators.
func instanceName() string {
	host, _ := os.Hostname()
	return strings.TrimPrefix(host+"-"+messages.NewID()[24:], "-")
}

// auditTimeout bounds the write of an audit entry.
const auditTimeout = 5 * time.Second

// auditJob records how a job ended. The handlers record what operators do to
// jobs.
func (s *service) auditJob(_, after jobs.Job) {
	if after.State != jobs.Done && after.State != jobs.Failed {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), auditTimeout)
	defer cancel()
	err := s.operations.audit.AppendLater(ctx, audit.Entry{
		ID: after.ID + ".finish." + after.FinishedAt.Format(time.RFC3339Nano), By: after.By, Action: audit.ActionJobFinish, Reason: after.Reason, JobID: after.ID, Counts: after.Counts,
	})
	if err != nil && !errors.Is(err, audit.ErrLater) {
		s.logger.Error("recording the end of a job in the audit log failed", "job", after.ID, "err", err)
	}
}

// recordRefusals writes the number of refused tokens and the addresses they came
// from to the log and the audit log. It never writes a token.
func (s *service) recordRefusals(r access.Refusals) {
	s.logger.Warn("admin tokens were refused", "count", r.Total, "addresses", r.Addresses, "other_addresses", r.Others,
		"reasons", r.Reasons, "tokens", r.Tokens)
	selection, _ := json.Marshal(r) // strings and numbers: never fails
	entry := audit.Entry{Action: audit.ActionRefused, Counts: r.Reasons, Selection: selection}
	if len(r.Addresses) == 1 {
		for entry.Address = range r.Addresses {
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), auditTimeout)
	defer cancel()
	if err := s.operations.audit.AppendLater(ctx, entry); err != nil && !errors.Is(err, audit.ErrLater) {
		s.logger.Error("recording refused tokens in the audit log failed", "err", err) // the log has them, see above
	}
}

// work returns the background work of the admin role.
func (o *operations) work() []func(context.Context) error {
	return []func(context.Context) error{o.letters.Run, o.jobs.Run, o.tokens.Run, o.sessions.Run, o.audit.Run, o.attempts.Run, o.overview.Run, o.damage.Run}
}

// handleOperators adds the admin API and the console to mux. Event streams end
// with ctx.
func (s *service) handleOperators(ctx context.Context, mux *http.ServeMux) {
	o, tails := s.operations, access.NewTails(s.metrics)
	mux.Handle("/v1/", admin.New(admin.Config{
		Store: s.store, Publisher: s.publisher, DeadLetters: o.deadLetters, JetStream: s.js,
		CSRFToken: func(sessionID string) string { return handlers.CSRFToken(s.secret, sessionID) },
		Letters:   o.letters, Replays: o.replays, Bulk: o.bulk, Jobs: o.jobs, Status: o.status, Overview: o.overview,
		Audit: o.audit, Tokens: o.tokens, Sessions: o.sessions, Subscribers: s.subscribers(), Damage: o.damage, Providers: s.providers, Describe: describeDelivery, Kinds: kindNames(), Attempts: o.attempts, Tails: tails, Proxies: s.settings.proxies(), PublishUnknown: s.settings.publishUnknown(),
		Ready: s.restored, Lifetime: ctx, Logger: s.logger, Registerer: s.metrics,
	}))
	page := console.New(console.Config{
		Letters: o.letters, DeadLetters: o.deadLetters, Replays: o.replays, Bulk: o.bulk, Jobs: o.jobs, Audit: o.audit,
		Access: o.tokens, Status: o.status, Overview: o.overview, JetStream: s.js, Sessions: o.sessions, Damage: o.damage, Describe: describeDelivery, Attempts: o.attempts, Tails: tails, Proxies: s.settings.proxies(), Lifetime: ctx, Logger: s.logger,
	})
	mux.Handle("/console", page)
	mux.Handle("/console/", page)
}
