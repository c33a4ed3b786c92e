package embedded

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

// readyTimeout is how long the broker may take to open its files.
const readyTimeout = 30 * time.Second

// readyStep is how often it is looked whether it has failed to.
const readyStep = 200 * time.Millisecond

// maxPayload is how long a message may be, in bytes.
const maxPayload = 1 << 20

// maxPending is how much the broker holds for a connection that does not read,
// in bytes, before it closes it: many times a pull of the workers, and a
// subscriber with all its connections cannot make it hold more than a few
// hundred MiB.
const maxPending = 16 << 20

// Config configures a [Broker].
type Config struct {
	// Dir holds the streams.
	Dir string
	// Listen is where subscribers connect, as host:port (port 0: any free
	// one); "-": nowhere, the broker serves the process only. Nobody can connect
	// before the first [Broker.SetSubscribers].
	Listen string
	// Logger gets the broker's own log. Default: none.
	Logger *slog.Logger
}

// Broker is a running nats-server.
type Broker struct {
	config   Config
	password string // of the process itself
	hash     string // of password

	mu          sync.Mutex // held while the server is replaced or configured
	server      *server.Server
	log         logger // of server
	subscribers []broker.Subscriber
	listens     bool // SetSubscribers was called
}

// Start starts a broker and returns once it serves. Its error says why it
// does not: an address in use, files that cannot be written.
func Start(c Config) (*Broker, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	b := &Broker{config: c, password: messages.NewID() + messages.NewID()}
	hash, err := broker.HashPassword(b.password)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	b.hash = hash
	if err := b.start(); err != nil {
		b.Close()
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	return b, nil
}

// start starts a server on the files.
func (b *Broker) start() error {
	opts, err := b.options()
	if err != nil {
		return err
	}
	if b.server, err = server.NewServer(opts); err != nil {
		return err
	}
	b.log = newLogger(b.config.Logger)
	if err := b.serve(); err != nil {
		return err
	}
	if b.listens {
		return b.listen()
	}
	return nil
}

// SetSubscribers replaces the subscribers. Those who are no longer among them
// are disconnected; the others keep their connections and pulls, and a request
// of theirs at that moment can fail with "no responders". The first call opens
// the listener, so that nobody is refused whom the broker does not know yet.
func (b *Broker) SetSubscribers(subscribers []broker.Subscriber) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.subscribers = slices.Clone(subscribers)
	// nats-server (2.15) makes a new account when it is loaded, and what it
	// imports when it is loaded again.
	for range 2 {
		opts, err := b.options()
		if err != nil {
			return err
		}
		if err := b.server.ReloadOptions(opts); err != nil {
			return fmt.Errorf("setting the subscribers of the embedded broker: %w", err)
		}
	}
	if b.listens {
		return nil
	}
	if err := b.listen(); err != nil {
		return fmt.Errorf("starting the embedded broker: %w", err)
	}
	b.listens = true
	return nil
}

// listen opens the listener, if there is to be one.
func (b *Broker) listen() error {
	if b.config.Listen == nowhere {
		return nil
	}
	b.server.AcceptLoop(make(chan struct{})) // returns once the listener is open
	return b.log.failure()
}

// Restart restarts the broker on the same files and address. Connections
// come back by themselves. It mends a broker whose disk was full: a stream that
// once failed to write does not write again.
func (b *Broker) Restart() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if address := b.server.Addr(); address != nil {
		b.config.Listen = address.String()
	}
	b.stop()
	if err := b.start(); err != nil {
		return fmt.Errorf("restarting the embedded broker: %w", err)
	}
	return nil
}

// Storage is how much of the disk the streams take.
type Storage struct {
	// Used and Limit are in bytes. Unless nats-server is told otherwise, the
	// limit is 75 % of what was free when the broker started, and what the
	// streams had then.
	Used, Limit uint64
}

// NotWriting reports whether a stream has failed to write, or the broker has
// switched its streams off, for a full disk. Such a stream does not write again
// before a restart, and answers nothing that is published to it.
func (b *Broker) NotWriting() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.server.JetStreamEnabled() {
		return true
	}
	health := b.server.Healthz(&server.HealthzOptions{Account: broker.AccountInternal, Details: true})
	return slices.ContainsFunc(health.Errors, func(e server.HealthzError) bool {
		return e.Type == server.HealthzErrorStream && strings.Contains(e.Error, "write error")
	})
}

// Storage returns how much of the disk the streams take.
func (b *Broker) Storage() Storage {
	b.mu.Lock()
	defer b.mu.Unlock()
	info, err := b.server.Jsz(nil)
	if err != nil || info.Disabled {
		return Storage{}
	}
	return Storage{Used: info.Store, Limit: uint64(max(info.Config.MaxStore, 0))}
}

// InProcessConn implements [nats.InProcessConnProvider].
func (b *Broker) InProcessConn() (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.server.InProcessConn()
}

// serve returns once the broker serves, or has said why it never will.
func (b *Broker) serve() error {
	b.server.SetLoggerV2(b.log, false, false, false)
	b.server.Start()
	for deadline := time.Now().Add(readyTimeout); time.Now().Before(deadline); {
		if b.server.ReadyForConnections(readyStep) {
			return nil
		}
		if err := b.log.failure(); err != nil {
			return err
		}
	}
	return fmt.Errorf("not ready within %s", readyTimeout)
}

// nowhere is the address of a broker that serves the process only.
const nowhere = "-"

func (b *Broker) options() (*server.Options, error) {
	opts := &server.Options{}
	if err := opts.ProcessConfigString(accounts(b.hash, b.subscribers)); err != nil {
		return nil, fmt.Errorf("accounts of the embedded broker: %w", err)
	}
	opts.ServerName, opts.StoreDir = "logoutd", b.config.Dir
	opts.JetStream, opts.SyncAlways = true, true
	opts.NoSigs, opts.DisableJetStreamBanner = true, true
	opts.MaxPayload, opts.MaxPending = maxPayload, maxPending
	opts.DontListen = true // see SetSubscribers
	return opts, setAddress(opts, b.config.Listen)
}

func setAddress(opts *server.Options, address string) error {
	if address == nowhere {
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("address of the embedded broker %q: give host:port, or - for none", address)
	}
	opts.Host = host
	if opts.Port, err = strconv.Atoi(port); err != nil {
		return fmt.Errorf("address of the embedded broker %q: the port must be a number", address)
	}
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	return nil
}

// Connect returns a connection of the process itself, in memory, with all
// rights.
func (b *Broker) Connect(c broker.ConnectConfig) (*nats.Conn, error) {
	c.URL = nats.DefaultURL // not dialled
	c.Options = append(c.Options, nats.InProcessServer(b), nats.UserInfo(internalUser, b.password))
	return broker.Connect(c)
}

// URL returns where subscribers connect; empty where nobody can.
func (b *Broker) URL() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.server.Addr() == nil {
		return ""
	}
	return b.server.ClientURL()
}

// Close stops the broker and waits until its files are closed.
func (b *Broker) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stop()
}

func (b *Broker) stop() {
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
}
