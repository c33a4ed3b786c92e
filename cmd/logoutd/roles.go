package main

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/handlers/health"
	"github.com/logoutd/logoutd/store/redisstore"
	"github.com/logoutd/logoutd/store/sqlitestore"
	"github.com/logoutd/logoutd/workers"
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
			s.logger.Error("store does not close", "err", err)
		}
	})
	return nil
}

// handle gives the listeners their handlers. What would never end by itself
// ends with ctx.
func (s *service) handle(ctx context.Context) {
	if s.public != nil {
		s.public.handler = handlers.New(handlers.Config{
			Store: s.store, Publisher: s.publisher, Secret: s.secret,
			PublishUnknown: s.settings.publishUnknown(), Proxies: s.settings.proxies(),
			TrustedOrigins: s.settings.file.TrustedOrigins,

			SAP:     handlers.SAP(s.settings.file.SAP),
			Elvis:   handlers.Elvis(s.settings.file.Elvis),
			Callers: &s.callers, Registerer: s.frontMetrics, Logger: s.logger,
		})
	}
	mux := http.NewServeMux()
	health.Routes(mux, s.checks(), prometheus.Gatherers{s.metrics, s.frontMetrics})
	if s.operations != nil {
		s.handleOperators(ctx, mux)
	}
	s.admin.handler = mux
}

var errStore = errors.New("cannot be reached")

// checks returns what the roles of this process cannot do their job without.
func (s *service) checks() []health.Check {
	pingStore := func(ctx context.Context) error {
		if s.store.Ping(ctx) != nil {
			return errStore // the cause may name addresses
		}
		return nil
	}
	onlyFront := !s.settings.has(roleWorker) && !s.settings.has(roleAdmin)
	checks := []health.Check{
		{Name: "broker", Run: func(context.Context) error { return s.broker.check(s.publisher) }},
		// A front end accepts logouts without the store, which fences late.
		{Name: "store", Run: pingStore, Optional: onlyFront},
	}
	if !onlyFront {
		checks = append(checks, health.Check{Name: "broker", Run: s.broker.checkStreams})
	}
	return checks
}

// work returns what runs beside the listeners.
func (s *service) work() []func(context.Context) error {
	var work []func(context.Context) error
	if (s.settings.has(roleWorker) || s.settings.has(roleAdmin)) && !s.broker.setUp.Load() {
		work = append(work, s.setUpStreams)
	}
	if s.broker.embedded != nil {
		work = append(work, s.mendBroker)
	}
	if s.operations != nil {
		work = append(work, s.operations.work()...)
	}
	if !s.settings.has(roleWorker) {
		return work
	}
	metrics := workers.NewMetrics(s.metrics)
	providers := s.settings.providers()
	backlog := workers.NewBacklog(s.js, providers, s.logger)
	s.metrics.MustRegister(backlog)
	revoker := workers.NewRevoker(workers.RevokerConfig{
		JetStream: s.js, Publisher: s.publisher, Store: s.store, Fronts: &s.callers, Providers: providers,
		PublishUnknown: s.settings.publishUnknown(), UnknownTTL: s.settings.retention(),
		Retry: s.settings.retry(), Metrics: metrics, Logger: s.logger,
	})
	work = append(work, backlog.Run, revoker.Run)
	for _, provider := range s.settings.file.Push {
		sender, err := provider.sender()
		if err != nil {
			panic(err) // the settings were checked
		}
		work = append(work, workers.NewTarget(workers.TargetConfig{
			Name: provider.Provider, Sender: sender, JetStream: s.js, Publisher: s.publisher, Store: s.store,
			Retry: s.settings.retry(), Metrics: metrics, Logger: s.logger,
		}).Run)
	}
	return work
}
