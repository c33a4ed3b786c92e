package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/logoutd/logoutd/events"
)

// readyTimeout is how long the broker may take to open its files.
const readyTimeout = 30 * time.Second

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
	server   *server.Server
	internal string // password of the process itself
}

// Start starts a broker and returns once it serves.
func Start(c Config) (*Broker, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Broker{internal: events.NewID() + events.NewID()}
	opts, err := options(c, b.internal)
	if err != nil {
		return nil, err
	}
	if b.server, err = server.NewServer(opts); err != nil {
		return nil, fmt.Errorf("starting the embedded broker: %w", err)
	}
	b.server.SetLoggerV2(logger{c.Logger}, false, false, false)
	b.server.Start()
	if !b.server.ReadyForConnections(readyTimeout) {
		b.Close()
		return nil, fmt.Errorf("starting the embedded broker: %w", notReady(c))
	}
	return b, nil
}

func options(c Config, internal string) (*server.Options, error) {
	opts := &server.Options{
		ServerName: "logoutd", StoreDir: c.Dir, JetStream: true, SyncAlways: true,
		NoSigs: true, DisableJetStreamBanner: true, MaxPayload: 1 << 20,
		CustomClientAuthentication: door{internal: internal, subscriber: c.SubscriberToken},
	}
	if c.Listen == "-" {
		opts.DontListen = true
		return opts, nil
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("address of the embedded broker %q: give host:port, or - for none", c.Listen)
	}
	opts.Host = host
	if opts.Port, err = strconv.Atoi(port); err != nil {
		return nil, fmt.Errorf("address of the embedded broker %q: the port must be a number", c.Listen)
	}
	if opts.Port == 0 {
		opts.Port = server.RANDOM_PORT
	}
	return opts, nil
}

// notReady finds out why the broker does not serve: its own error goes to its
// log only.
func notReady(c Config) error {
	if c.Listen != "-" {
		listener, err := net.Listen("tcp", c.Listen)
		if err != nil {
			return err
		}
		_ = listener.Close()
	}
	return errors.New("not ready in time: see the log before this")
}

// Connect returns a connection of the process itself, in memory, with all
// rights.
func (b *Broker) Connect(c events.ConnectConfig) (*nats.Conn, error) {
	c.URL = nats.DefaultURL // not dialled
	c.Options = append(c.Options, nats.InProcessServer(b.server), nats.UserInfo(internalUser, b.internal))
	return events.Connect(c)
}

// URL returns where subscribers connect; empty where nobody can.
func (b *Broker) URL() string {
	if b.server.Addr() == nil {
		return ""
	}
	return b.server.ClientURL()
}

// Close stops the broker and waits until its files are closed.
func (b *Broker) Close() {
	b.server.Shutdown()
	b.server.WaitForShutdown()
}
