package main

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/events/embedded"
	"github.com/logoutd/logoutd/store"
)

// broker is the connection to NATS, and the NATS in the process if there is
// one.
type broker struct {
	conn     *nats.Conn
	embedded *embedded.Broker
	setUp    atomic.Bool // the streams are there, the fences restored
}

func (s *service) openBroker(ctx context.Context) (err error) {
	s.broker = &broker{}
	config := events.ConnectConfig{URL: s.settings.NATSURL, Name: s.settings.connectionName(), Logger: s.logger, OnError: s.countBrokerError()}
	if s.settings.NATSURL != "" {
		s.broker.conn, err = events.Connect(config)
	} else {
		err = s.openEmbedded(config)
	}
	if err != nil {
		return err
	}
	s.closers = append(s.closers, s.broker.conn.Close)
	return nil
}

// countBrokerError measures what the broker reports asynchronously, such as a
// permission that is missing.
func (s *service) countBrokerError() func(error) {
	faults := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "logoutd_broker_errors_total", Help: "Errors that the broker reported, such as missing permissions; the log has them.",
	})
	s.metrics.MustRegister(faults)
	return func(error) { faults.Inc() }
}

func (s *service) openEmbedded(config events.ConnectConfig) (err error) {
	s.broker.embedded, err = embedded.Start(embedded.Config{
		Dir: filepath.Join(s.settings.DataDir, brokerDir), Listen: s.settings.NATSListen,
		SubscriberToken: s.subscriberToken, Logger: s.logger,
	})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, s.broker.embedded.Close)
	s.broker.conn, err = s.broker.embedded.Connect(config)
	return err
}

// connectionName tells the roles of a connection, so that each role may have
// permissions of its own.
func (s *Settings) connectionName() string {
	if len(s.Roles) == 1 {
		return s.Roles[0]
	}
	return "logoutd"
}

// openStreams sets the streams of an embedded broker up before anything is
// accepted. A NATS elsewhere may come later.
func (s *service) openStreams(ctx context.Context) error {
	if s.broker.embedded == nil {
		return nil
	}
	return s.setUpStreams(ctx)
}

// setUpStreams makes sure that the streams exist, as soon as the broker can be
// reached, and restores the fences of what is pending there. A stream that
// would lose messages ends the process.
func (s *service) setUpStreams(ctx context.Context) error {
	for {
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := events.Setup(attempt, s.js)
		cancel()
		if err == nil && s.broker.embedded != nil {
			s.broker.embedded.BatchesToMemory()
		}
		if err == nil {
			err = s.restoreFences(ctx)
		}
		switch {
		case err == nil:
			s.broker.setUp.Store(true)
			return nil
		case ctx.Err() != nil:
			return nil
		case !errors.Is(err, events.ErrUnavailable) && !errors.Is(err, store.ErrUnavailable):
			return err
		}
		s.logger.Warn("streams cannot be set up yet", "err", err)
		sleep(ctx, time.Second)
	}
}

var (
	errNotConnected    = errors.New("not connected")
	errNotAcknowledged = errors.New("connected, but does not acknowledge")
	errNoStreams       = errors.New("streams are not set up yet")
)

// check tells whether messages can be published, and the latest was.
func (b *broker) check(p *events.Publisher) error {
	switch {
	case b.conn.Status() != nats.CONNECTED:
		return errNotConnected
	case p.Trouble() != nil:
		return errNotAcknowledged
	}
	return nil
}

// checkStreams tells whether this process has seen all streams.
func (b *broker) checkStreams(context.Context) error {
	if !b.setUp.Load() {
		return errNoStreams
	}
	return nil
}
