package main

import (
	"context"
	"errors"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/broker/embedded"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/subscribers"
	"github.com/logoutd/logoutd/store"
)

// brokerConn is the connection to NATS, and the embedded broker if the process
// has one.
type brokerConn struct {
	conn     *nats.Conn
	embedded *embedded.Broker
	setUp    atomic.Bool // the streams were set up once, and the fences restored
	// streams is why the streams are missing; nil: they exist, or were not
	// checked yet.
	streams atomic.Pointer[error]
	closed  chan error // receives the error when the client gives up
}

func (s *service) openBroker(ctx context.Context) (err error) {
	s.broker = &brokerConn{closed: make(chan error, 1)}
	s.notices.broker = s.broker
	config := broker.ConnectConfig{
		URL: s.settings.NATSURL, Name: s.settings.connectionName(), Logger: s.logger, OnError: s.countBrokerError(),
		OnClosed: func(err error) { s.broker.closed <- err },
	}
	if s.settings.NATSURL != "" {
		s.broker.conn, err = broker.Connect(config)
	} else {
		err = s.openEmbedded(config)
	}
	if err != nil {
		return err
	}
	s.closers = append(s.closers, s.broker.conn.Close)
	return nil
}

// countBrokerError returns a function that counts the errors that the broker
// reports asynchronously, such as missing permissions.
func (s *service) countBrokerError() func(error) {
	faults := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "logoutd_broker_errors_total", Help: "Asynchronous errors reported by the broker, such as missing permissions. The log has the details.",
	})
	s.metrics.MustRegister(faults)
	return func(error) { faults.Inc() }
}

func (s *service) openEmbedded(config broker.ConnectConfig) (err error) {
	s.broker.embedded, err = embedded.Start(embedded.Config{
		Dir: filepath.Join(s.settings.DataDir, brokerDir), Listen: s.settings.NATSListen, Logger: s.logger,
	})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, s.broker.embedded.Close)
	s.measureStorage()
	s.logger.Info("embedded broker started", "storage_bytes", s.broker.embedded.Storage().Used,
		"storage_limit_bytes", s.broker.embedded.Storage().Limit)
	s.broker.conn, err = s.broker.embedded.Connect(config)
	return err
}

// connectionName returns the name that the process uses at the broker: its role,
// or logoutd if it has several.
func (s *Settings) connectionName() string {
	if len(s.Roles) == 1 {
		return s.Roles[0]
	}
	return "logoutd"
}

// openStreams sets up the streams of an embedded broker before the process
// accepts anything. An external NATS may become available later.
func (s *service) openStreams(ctx context.Context) error {
	if s.broker.embedded == nil {
		return nil
	}
	if err := s.setUpStreams(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	return s.subscribers().Load(ctx)
}

// subscribers returns the services that read public events. The embedded broker
// admits them once they are loaded.
func (s *service) subscribers() *subscribers.Subscribers {
	c := subscribers.Config{JetStream: s.js, Logger: s.logger}
	if s.broker.embedded != nil {
		c.Apply = s.broker.embedded.SetSubscribers
	}
	return subscribers.New(c)
}

// setUpStreams creates missing streams as soon as the broker is reachable, and
// restores the fences of pending requests. A stream whose settings would lose
// messages ends the process.
func (s *service) setUpStreams(ctx context.Context) error {
	for logged := ""; ; {
		err := s.ensureStreams(ctx)
		if err == nil {
			err = s.restoreFences(ctx)
		}
		switch {
		case err == nil:
			s.broker.setUp.Store(true)
			return nil
		case ctx.Err() != nil:
			return nil
		case !errors.Is(err, broker.ErrUnavailable) && !errors.Is(err, store.ErrUnavailable):
			return err
		}
		logged = s.logStreams(ctx, err, logged)
		sleep(ctx, time.Second)
	}
}

// watchStreamsEvery is how often the streams are checked: a NATS server that
// lost its files must have them again within seconds.
const watchStreamsEvery = 2 * time.Second

// watchStreams sets up the streams, and again whenever they are missing: a NATS
// server can come back without its files. A stream that was changed so that it
// would lose messages makes the process not ready.
func (s *service) watchStreams(ctx context.Context) error {
	if !s.broker.setUp.Load() {
		if err := s.setUpStreams(ctx); err != nil {
			return err
		}
	}
	for logged := ""; sleep(ctx, watchStreamsEvery); {
		switch err := s.ensureStreams(ctx); {
		case err == nil:
			logged = ""
		case ctx.Err() == nil:
			logged = s.logStreams(ctx, err, logged)
		}
	}
	return nil
}

// ensureStreams creates the missing streams.
func (s *service) ensureStreams(ctx context.Context) error {
	attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err := broker.Setup(attempt, s.js)
	if err != nil {
		s.broker.streams.Store(&err)
	} else {
		s.broker.streams.Store(nil)
	}
	return err
}

// logStreams logs why the streams cannot be set up, unless that was logged last,
// and returns the text last logged.
func (s *service) logStreams(ctx context.Context, err error, logged string) string {
	if err.Error() != logged && broker.LogFailure(ctx, s.logger, s.js, "streams cannot be set up yet", "err", err) {
		return err.Error()
	}
	return logged
}

// awaitClosed ends the process when the client has given up the connection: a
// new process makes a new connection.
func (s *service) awaitClosed(ctx context.Context) error {
	select {
	case err := <-s.broker.closed:
		return err
	case <-ctx.Done():
		return nil
	}
}

var (
	errNotWriting = errors.New("cannot write: its disk is full; it restarts as soon as there is space")
	errNoStreams  = errors.New("streams are not set up yet")
	errNoRequests = errors.New("the stream " + messages.StreamRequests + " does not exist yet; a worker or the admin role creates it")
	errNoAnswer   = errors.New("JetStream does not answer: it has no quorum, or this user has no permission to read the stream " + messages.StreamRequests)
	errNoLeader   = errors.New("the stream " + messages.StreamRequests + " has no leader")
)

// check reports why messages cannot be published now, or why the latest publish
// failed.
func (b *brokerConn) check(ctx context.Context, p *broker.Publisher) error {
	if b.conn.Status() != nats.CONNECTED {
		return broker.ErrNotConnected
	}
	if err := b.checkStorage(); err != nil {
		return err
	}
	return p.Trouble(ctx)
}

// checkStreams reports why this process does not have all streams.
func (b *brokerConn) checkStreams(context.Context) error {
	err := b.streams.Load()
	switch {
	case err != nil && !errors.Is(*err, broker.ErrUnavailable):
		return *err // names the setting and the stream to change
	case err != nil || !b.setUp.Load():
		return errNoStreams
	}
	return nil
}

// checkRequests reports why a logout could not be accepted now: the stream of
// requests must exist and have a leader.
func (b *brokerConn) checkRequests(ctx context.Context, js jetstream.JetStream) error {
	stream, err := js.Stream(ctx, messages.StreamRequests)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return errNoRequests
	case err != nil:
		return errNoAnswer
	}
	if cluster := stream.CachedInfo().Cluster; cluster != nil && cluster.Leader == "" {
		return errNoLeader
	}
	return nil
}
