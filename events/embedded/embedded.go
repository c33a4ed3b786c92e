package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
)

// readyTimeout is how long the broker may take to open its files.
const readyTimeout = 30 * time.Second

// readyStep is how often it is looked whether it has failed to.
const readyStep = 200 * time.Millisecond

// maxPayload is how long a message may be, in bytes.
const maxPayload = 1 << 20

// Config configures a [Broker].
type Config struct {
	// Dir holds the streams.
	Dir string
	// Listen is where subscribers connect, as host:port (port 0: any free
	// one); "-": nowhere, the broker serves the process only.
	Listen string
	// SubscriberToken lets subscribers in. Empty: nobody.
	SubscriberToken string
	// Logger gets the broker's own log. Default: none.
	Logger *slog.Logger
}

// Broker is a running nats-server.
type Broker struct {
	config Config
	door   *door
	guard  *nats.Conn // see startGuard
	memory string     // directory in memory; empty: there is none

	mu     sync.Mutex // held while the server is replaced
	server *server.Server
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
	b := &Broker{config: c, door: &door{internal: events.NewID() + events.NewID(), subscriber: c.SubscriberToken}}
	var err error
	if b.memory, err = memoryFor(c.Dir); err != nil {
		c.Logger.Debug("batches are not kept in memory", "err", err)
	}
	err = b.start()
	if err == nil {
		err = b.startGuard()
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	return b, nil
}

// start starts a server on the files.
func (b *Broker) start() error {
	opts, err := options(b.config, b.door)
	if err != nil {
		return err
	}
	started, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	b.server, b.door.account = started, started.LookupAccount
	if err := b.serve(newLogger(b.config.Logger, b.config.SubscriberToken)); err != nil {
		return err
	}
	b.emptyMemory()
	b.linkBatches()
	return nil
}

// Restart starts the broker anew on the same files and address. Connections
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
	// Disabled tells that the broker has switched its streams off, because the
	// disk was full.
	Disabled bool
}

// Storage returns how much of the disk the streams take.
func (b *Broker) Storage() Storage {
	b.mu.Lock()
	defer b.mu.Unlock()
	info, err := b.server.Jsz(nil)
	if err != nil || info.Disabled {
		return Storage{Disabled: true}
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
func (b *Broker) serve(log logger) error {
	b.server.SetLoggerV2(log, false, false, false)
	b.server.Start()
	for deadline := time.Now().Add(readyTimeout); time.Now().Before(deadline); {
		if b.server.ReadyForConnections(readyStep) {
			return nil
		}
		select {
		case reason := <-log.fatal:
			return errors.New(reason)
		default:
		}
	}
	return fmt.Errorf("not ready within %s", readyTimeout)
}

func options(c Config, door *door) (*server.Options, error) {
	opts := &server.Options{}
	if err := opts.ProcessConfigString(accounts()); err != nil {
		return nil, fmt.Errorf("accounts of the embedded broker: %w", err)
	}
	opts.ServerName, opts.StoreDir = "logoutd", c.Dir
	opts.JetStream, opts.SyncAlways = true, true
	opts.NoSigs, opts.DisableJetStreamBanner = true, true
	opts.MaxPayload = maxPayload
	opts.CustomClientAuthentication = door
	return opts, listen(opts, c.Listen)
}

func listen(opts *server.Options, address string) error {
	if address == "-" {
		opts.DontListen = true
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
func (b *Broker) Connect(c events.ConnectConfig) (*nats.Conn, error) {
	c.URL = nats.DefaultURL // not dialled
	c.Options = append(c.Options, nats.InProcessServer(b), nats.UserInfo(internalUser, b.door.internal))
	return events.Connect(c)
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
	if b.guard != nil {
		b.guard.Close()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stop()
	b.leaveMemory()
}

func (b *Broker) stop() {
	if b.server != nil {
		b.server.Shutdown()
		b.server.WaitForShutdown()
	}
}
