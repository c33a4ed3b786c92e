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

// broker is the connection to NATS, and the NATS in the process if there is
// one.
type brokerConn struct {
	conn     *nats.Conn
	embedded *embedded.Broker
	setUp    atomic.Bool // the streams were there, and the fences restored
	// streams is why the streams are not there; nil: they are, or nobody has
	// looked yet.
	streams atomic.Pointer[error]
	closed  chan error // filled when the client has given up
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

// countBrokerError measures what the broker reports asynchronously, such as a
// permission that is missing.
func (s *service) countBrokerError() func(error) {
	faults := prometheus.NewCounter(prometheus.CounterOpts{
		Name: "logoutd_broker_errors_total", Help: "Errors that the broker reported, such as missing permissions; the log has them.",
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
	if err := s.setUpStreams(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	return s.subscribers().Load(ctx)
}

// subscribers are who reads the public events. The embedded broker lets them
// in once they are loaded.
func (s *service) subscribers() *subscribers.Subscribers {
	c := subscribers.Config{JetStream: s.js, Logger: s.logger}
	if s.broker.embedded != nil {
		c.Apply = s.broker.embedded.SetSubscribers
	}
	return subscribers.New(c)
}

// setUpStreams makes sure that the streams exist, as soon as the broker can be
// reached, and restores the fences of what is pending there. A stream that
// would lose messages ends the process.
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

// watchStreamsEvery is how often the streams are looked for: a NATS that lost
// its files is to have them again within seconds.
const watchStreamsEvery = 2 * time.Second

// watchStreams sets the streams up, and again whenever they are gone: a NATS
// may come back without its files. A stream that somebody has changed so that
// it would lose messages makes the process not ready.
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

// ensureStreams makes the streams that do not exist.
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

// logStreams logs why the streams are not there, unless it was logged last,
// and returns what was.
func (s *service) logStreams(ctx context.Context, err error, logged string) string {
	if err.Error() != logged && broker.LogFailure(ctx, s.logger, s.js, "streams cannot be set up yet", "err", err) {
		return err.Error()
	}
	return logged
}

// awaitClosed ends the process when the client has given the connection up: a
// new process makes a new one.
func (s *service) awaitClosed(ctx context.Context) error {
	select {
	case err := <-s.broker.closed:
		return err
	case <-ctx.Done():
		return nil
	}
}

var (
	errNotWritten = errors.New("it could not write: its disk is full; it is restarted as soon as there is room")
	errNoStreams  = errors.New("streams are not set up yet")
	errNoRequests = errors.New("there is no stream " + messages.StreamRequests + " yet; a worker or the admin role sets it up")
	errNoAnswer   = errors.New("JetStream does not answer: it has no quorum, or this user may not ask for the stream " + messages.StreamRequests)
	errNoLeader   = errors.New("the stream " + messages.StreamRequests + " has no leader")
)

// check tells whether messages can be published, and the latest was.
func (b *brokerConn) check(ctx context.Context, p *broker.Publisher) error {
	if b.conn.Status() != nats.CONNECTED {
		return broker.ErrNotConnected
	}
	if err := b.checkStorage(); err != nil {
		return err
	}
	return p.Trouble(ctx)
}

// checkStreams tells whether this process has seen all streams, and sees them
// still.
func (b *brokerConn) checkStreams(context.Context) error {
	err := b.streams.Load()
	switch {
	case err != nil && !errors.Is(*err, broker.ErrUnavailable):
		return *err // says which setting of which stream to change
	case err != nil || !b.setUp.Load():
		return errNoStreams
	}
	return nil
}

// checkRequests tells whether a logout could be accepted now: the stream of
// requests is there and has a leader.
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
