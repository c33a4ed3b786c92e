package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/providers"
	"github.com/logoutd/logoutd/store"
)

// service is everything that one process runs.
type service struct {
	settings *Settings
	logger   *slog.Logger
	metrics  *prometheus.Registry
	// frontMetrics are the metrics of the front role. They need no call to the
	// broker or the store.
	frontMetrics *prometheus.Registry

	secret     []byte
	adminToken string

	broker    *brokerConn
	notices   notices
	providers *providers.Providers
	store     store.Store
	js        jetstream.JetStream
	publisher *broker.Publisher

	operations *operations // nil without the admin role

	public  *listener        // nil without the front role
	callers handlers.Callers // of the public listener
	admin   *listener

	closers []func() // in the order of opening
}

// newService opens everything. If that fails, it closes what it has opened.
func newService(ctx context.Context, settings *Settings, logger *slog.Logger) (_ *service, err error) {
	s := &service{settings: settings, logger: logger, metrics: prometheus.NewRegistry(), frontMetrics: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	s.providers = providers.New(settings.providers(), s.metrics, logger)
	s.notices.providers = s.providers
	s.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, open := range []func(context.Context) error{
		s.openListeners, s.openSecrets, s.openStore, s.openBroker, s.openPublisher, s.openStreams, s.openOperations,
	} {
		if err := open(ctx); err != nil {
			return nil, err
		}
	}
	s.handle(ctx)
	s.warnExposed()
	return s, nil
}

// openListeners runs first: a port in use is the most likely fault, and is
// reported before anything is written.
func (s *service) openListeners(context.Context) (err error) {
	public, admin := maxConnections(descriptors())
	if s.settings.has(roleFront) {
		if s.public, err = s.listen("public", "LOGOUTD_LISTEN", s.settings.Listen, s.settings.publicTLS(), public); err != nil {
			return err
		}
	}
	s.admin, err = s.listen("admin", "LOGOUTD_ADMIN_LISTEN", s.settings.AdminListen, s.settings.adminTLS(), admin)
	return err
}

// openSecrets reads or generates the secrets that this process needs.
func (s *service) openSecrets(context.Context) (err error) {
	dir := s.settings.DataDir
	s.secret, s.adminToken = []byte(s.settings.Secret), s.settings.AdminToken
	needAdmin := s.settings.has(roleAdmin) && s.adminToken == ""
	// The data directory holds the embedded broker and store, and the admin
	// role's index of dead letters.
	alone := s.settings.NATSURL == "" || s.settings.RedisURL == "" || s.settings.has(roleAdmin)
	if !alone && len(s.secret) > 0 {
		return nil
	}
	if err := makeDataDir(dir); err != nil {
		return err
	}
	if alone {
		unlock, err := lockDataDir(dir)
		if err != nil {
			return err
		}
		s.closers = append(s.closers, unlock)
	}
	if len(s.secret) == 0 {
		secret, err := secretIn(dir, secretFile)
		if err != nil {
			return err
		}
		s.secret = []byte(secret)
	}
	if needAdmin {
		s.adminToken, err = secretIn(dir, adminTokenFile)
	}
	return err
}

func (s *service) openPublisher(context.Context) (err error) {
	latency := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "logoutd_publish_seconds", Help: "Time from publishing logout requests to JetStream's acknowledgement, in seconds.",
		Buckets: prometheus.ExponentialBuckets(0.0002, 2, 15),
	})
	s.metrics.MustRegister(latency)
	if s.js, err = broker.JetStream(s.broker.conn); err != nil {
		return fmt.Errorf("opening JetStream: %w", err)
	}
	s.publisher = broker.NewPublisher(s.js, func(d time.Duration) { latency.Observe(d.Seconds()) })
	s.closers = append(s.closers, s.publisher.Close)
	return nil
}

// run serves until ctx ends or something fails, then drains: the listeners
// answer the requests in flight while the workers finish what they have begun.
func (s *service) run(ctx context.Context) error {
	defer s.close()
	running, runCtx := errgroup.WithContext(ctx)
	for _, work := range s.work() {
		running.Go(func() error { return work(runCtx) })
	}
	for _, l := range s.listeners() {
		running.Go(func() error { return l.serve(runCtx) })
	}
	<-runCtx.Done()
	s.logger.Info("draining")
	drained := make(chan error, 1)
	go func() { drained <- running.Wait() }()
	select {
	case err := <-drained:
		if err == nil || errors.Is(err, context.Canceled) {
			s.logger.Info("stopped")
			return nil
		}
		return err
	case <-time.After(drainTimeout):
		// Nothing is lost: JetStream redelivers unacknowledged messages.
		s.logger.Warn("stopped before the drain was complete")
		return nil
	}
}

func (s *service) listeners() []*listener {
	if s.public == nil {
		return []*listener{s.admin}
	}
	return []*listener{s.public, s.admin}
}

// close closes everything in reverse order of opening.
func (s *service) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
	s.closers = nil
}
