package main

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/internal/health"
	"github.com/logoutd/logoutd/internal/providers"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/sqlitestore"
	"github.com/logoutd/logoutd/workers"
	"github.com/logoutd/logoutd/workers/delivery"
)

func (s *service) openStore(ctx context.Context) (err error) {
	if s.settings.RedisURL != "" {
		s.store, err = redisstore.Open(s.settings.RedisURL, redisstore.Config{Retention: s.settings.retention(), Logger: s.logger})
	} else {
		s.store, err = sqlitestore.Open(filepath.Join(s.settings.DataDir, storeFile),
			sqlitestore.Config{Retention: s.settings.retention(), Logger: s.logger})
	}
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() {
		if err := s.store.Close(); err != nil {
			s.logger.Error("closing the store failed", "err", err)
		}
	})
	return nil
}

// handle gives the listeners their handlers. Event streams and other requests
// without an end stop with ctx.
func (s *service) handle(ctx context.Context) {
	if s.public != nil {
		s.public.config.Handler = handlers.New(handlers.Config{
			Store: s.store, Publisher: s.publisher, Secret: s.secret,
			PublishUnknown: s.settings.publishUnknown(), Proxies: s.settings.proxies(),
			TrustedOrigins: s.settings.file.TrustedOrigins,

			SAP:     handlers.SAP(s.settings.file.SAP),
			Elvis:   handlers.Elvis(s.settings.file.Elvis),
			Callers: &s.callers, Registerer: s.frontMetrics, Logger: s.logger,
		})
	}
	mux := http.NewServeMux()
	health.Routes(mux, s.settings.Roles, s.checks(), prometheus.Gatherers{s.metrics, s.frontMetrics})
	if s.operations != nil {
		s.handleOperators(ctx, mux)
	}
	s.admin.config.Handler = mux
}

var errStore = errors.New("cannot be reached")

// pingStore checks that the store can be read and written.
func (s *service) pingStore(ctx context.Context) error {
	err := s.store.Ping(ctx)
	var refused *store.RefusedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return refused
	}
	return errStore // the cause may name addresses
}

// checks returns the readiness checks of each role.
func (s *service) checks() []health.Check {
	workers := []string{roleWorker, roleAdmin}
	return []health.Check{
		{Name: "broker", Run: func(ctx context.Context) error { return s.broker.check(ctx, s.publisher) }},
		{Name: "broker", Roles: []string{roleFront}, Run: func(ctx context.Context) error { return s.broker.checkRequests(ctx, s.js) }},
		{Name: "broker", Roles: workers, Run: s.broker.checkStreams},
		// A front end accepts logouts without the store; a worker fences later.
		{Name: "store", Roles: []string{roleFront}, Run: s.pingStore, Optional: true},
		{Name: "store", Roles: workers, Run: s.pingStore},
		{Name: "setup", Run: func(context.Context) error { return s.notices.err() }, Optional: true},
	}
}

// work returns the background work of the process.
func (s *service) work() []func(context.Context) error {
	work := []func(context.Context) error{s.awaitClosed}
	if s.settings.has(roleWorker) || s.settings.has(roleAdmin) {
		work = append(work, s.watchStreams)
	}
	if s.broker.embedded != nil {
		work = append(work, s.watchBroker)
	}
	if warner, ok := s.store.(store.Warner); ok {
		work = append(work, func(ctx context.Context) error { return s.watchStore(ctx, warner) })
	}
	if s.operations != nil {
		work = append(work, s.operations.work()...)
	}
	if !s.settings.has(roleWorker) {
		return work
	}
	metrics := workers.NewMetrics(s.metrics)
	configured := s.settings.targets()
	backlog := workers.NewBacklog(s.js, configured, s.logger)
	s.metrics.MustRegister(backlog)
	revoker := workers.NewRevoker(workers.RevokerConfig{
		JetStream: s.js, Publisher: s.publisher, Store: s.store, Fronts: &s.callers, Targets: configured,
		Untold:         func(provider string) { s.providers.Note(provider, providers.Deleted) },
		PublishUnknown: s.settings.publishUnknown(), UnknownTTL: s.settings.retention(),
		Retry: s.settings.retry(), Metrics: metrics, Logger: s.logger,
	})
	work = append(work, backlog.Run, revoker.Run)
	for _, target := range configured {
		work = append(work, delivery.NewWorker(delivery.Config{
			Target: target, JetStream: s.js, Publisher: s.publisher, Store: s.store,
			Retry: s.settings.retry(), Metrics: metrics.Metrics, Logger: s.logger,
		}).Run)
	}
	return work
}
