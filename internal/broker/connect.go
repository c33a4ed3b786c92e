package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/messages"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ConnectConfig says how to reach the broker.
type ConnectConfig struct {
	// URL is one or more addresses, separated by commas.
	URL string
	// Name is shown in the broker's monitoring, and is the prefix of the
	// connection's inboxes (_INBOX_<name>), so that permissions can keep
	// others out of them.
	Name string
	// Logger logs changes of the connection. Default: none.
	Logger *slog.Logger
	// OnError is called with asynchronous errors, such as a missing permission,
	// whose call only times out. Default: none.
	OnError func(error)
	// OnClosed is called when the client gives the connection up for good, after
	// a protocol error that it does not know. It is not called after Close.
	// Default: none.
	OnClosed func(error)
	// Options come last.
	Options []nats.Option
}

// Connect returns a connection to the broker that never gives up. The broker need
// not run yet, and the client reconnects for ever, whatever the error: a server
// that refuses the password, a certificate or another connection may accept it
// once somebody has corrected the settings. A publish without a connection fails
// at once instead of being sent later.
func Connect(c ConnectConfig) (*nats.Conn, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.OnError == nil {
		c.OnError = func(error) {}
	}
	if c.OnClosed == nil {
		c.OnClosed = func(error) {}
	}
	log := &connectionLog{logger: c.Logger}
	options := append([]nats.Option{
		nats.Name("logoutd " + c.Name),
		nats.CustomInboxPrefix("_INBOX_" + c.Name),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.ReconnectBufSize(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond),
		nats.Timeout(2 * time.Second),
		nats.PingInterval(5 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.IgnoreAuthErrorAbort(),
		nats.NoCallbacksAfterClientClose(),
		nats.ErrorHandler(func(conn *nats.Conn, _ *nats.Subscription, err error) {
			if isAuthError(err) {
				log.unreachable(conn, err) // also told at each attempt to reconnect
				return
			}
			c.Logger.Error("broker reports an error", "err", err)
			c.OnError(err)
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				c.Logger.Warn("broker connection lost", "err", err)
			}
		}),
		nats.ReconnectErrHandler(log.unreachable),
		nats.ConnectHandler(func(*nats.Conn) { log.connected(false) }),
		nats.ReconnectHandler(func(*nats.Conn) { log.connected(true) }),
		nats.ClosedHandler(func(conn *nats.Conn) {
			if err := conn.LastError(); err != nil {
				c.OnClosed(fmt.Errorf("the broker has ended the connection: %w", err))
			}
		}),
	}, c.Options...)
	conn, err := nats.Connect(c.URL, options...)
	var malformed *url.Error
	if errors.As(err, &malformed) {
		err = malformed.Err // without the URL, which can contain a password
	}
	if err != nil {
		return nil, fmt.Errorf("connecting to broker: %w", err)
	}
	go log.follow(conn, conn.StatusChanged(nats.RECONNECTING, nats.CLOSED))
	return conn, nil
}

// JetStream returns the JetStream of a connection, as [Publisher] and the
// workers use it.
func JetStream(conn *nats.Conn) (jetstream.JetStream, error) {
	return jetstream.New(conn, jetstream.WithPublishAsyncTimeout(AckWait))
}

// FirstSequence returns the first sequence of a stream that is created at a time:
// its microseconds since 1970. A stream that replaces another, say after NATS has
// lost its files, continues above all sequences of the old one, provided that it
// took less than a million messages a second. So a sequence identifies one message
// for ever: a late acknowledgement, a cursor or an item of a job for a message of
// the old stream never matches another message. The number fits into the 53 bits
// of a JSON number until 2255.
func FirstSequence(made time.Time) uint64 { return uint64(made.UnixMicro()) }

// streamConfigs returns the streams with the given number of replicas and first
// sequence.
func streamConfigs(replicas int, first uint64) []jetstream.StreamConfig {
	stream := func(name, description string, subject string) jetstream.StreamConfig {
		return jetstream.StreamConfig{
			Name: name, Description: description, Subjects: []string{subject},
			Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
			Storage: jetstream.FileStorage, Replicas: replicas,
			Duplicates: 2 * time.Minute, AllowAtomicPublish: true, AllowDirect: true,
			FirstSeq: first,
		}
	}
	requests := stream(messages.StreamRequests, "logout requests, until done", messages.SubjectRequests)
	requests.Subjects = append(requests.Subjects, messages.SubjectUnfenced)
	tasks := stream(messages.StreamTasks, "what targets have to be told, until done", messages.SubjectTasks+">")
	public := stream(events.StreamEvents, "public: what was revoked, and what failed", events.SubjectEvents+">")
	public.MaxAge = events.EventsRetention
	// The broker keeps the id of each event for up to twice as long, in memory.
	// A dead worker's messages come back after 10 s.
	public.Duplicates = 30 * time.Second
	public.RePublish = &jetstream.RePublish{Source: events.SubjectEvents + ">", Destination: events.SubjectLive + ">"}
	failed := stream(messages.StreamFailed, "dead letters, until replayed or discarded", messages.SubjectFailed+">")
	failed.MaxMsgsPerSubject = 1
	audit := stream(messages.StreamAudit, "what operators did; the broker itself refuses to change it", messages.SubjectAudit+">")
	audit.DenyDelete, audit.DenyPurge = true, true
	return []jetstream.StreamConfig{requests, tasks, public, failed, audit}
}

// Setup creates the streams that do not exist: with three replicas on a cluster, one
// otherwise. It leaves existing streams as their operator made them, but adds
// missing subjects and what subscribers rely on ([events.SubjectLive]), and refuses
// settings that could lose acknowledged messages. Errors wrap [ErrUnavailable]
// unless trying again is of no use.
func Setup(ctx context.Context, js jetstream.JetStream) error {
	return SetupFrom(ctx, js, FirstSequence(time.Now()))
}

// SetupFrom is [Setup] with another first sequence, for tests that count messages.
func SetupFrom(ctx context.Context, js jetstream.JetStream, first uint64) error {
	for _, config := range streamConfigs(Replicas(js), first) {
		if err := setupStream(ctx, js, config); err != nil {
			return err
		}
	}
	return nil
}

// Replicas returns how many servers store each message.
func Replicas(js jetstream.JetStream) int {
	if js.Conn().ConnectedClusterName() != "" {
		return 3
	}
	return 1
}

// setupTimeout bounds the set-up of one stream: a cluster without a leader does not
// answer at all.
const setupTimeout = 5 * time.Second

func setupStream(ctx context.Context, js jetstream.JetStream, config jetstream.StreamConfig) error {
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	stream, err := js.Stream(ctx, config.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		stream, err = js.CreateStream(ctx, config)
	}
	if err == nil {
		stream, err = addSubjects(ctx, js, stream, config.Subjects)
	}
	if err != nil {
		return Unavailable("setting up stream "+config.Name, err)
	}
	existing := stream.CachedInfo().Config
	if err := checkStream(existing); err != nil || existing.RePublish != nil || config.RePublish == nil {
		return err
	}
	existing.RePublish = config.RePublish
	if _, err := js.UpdateStream(ctx, existing); err != nil {
		return Unavailable("setting up republishing of stream "+config.Name, err)
	}
	return nil
}

// addSubjects adds the subjects that a stream of an earlier version lacks.
func addSubjects(
	ctx context.Context, js jetstream.JetStream, stream jetstream.Stream, subjects []string,
) (jetstream.Stream, error) {
	config := stream.CachedInfo().Config
	has := func(subject string) bool {
		return slices.ContainsFunc(config.Subjects, func(s string) bool {
			prefix, wild := strings.CutSuffix(s, ">")
			return s == subject || wild && strings.HasPrefix(subject, prefix)
		})
	}
	missing := slices.DeleteFunc(slices.Clone(subjects), has)
	if len(missing) == 0 {
		return stream, nil
	}
	config.Subjects = append(slices.Clone(config.Subjects), missing...)
	return js.UpdateStream(ctx, config)
}

// checkStream refuses settings that silently break the promise that an acknowledged
// message is on disk and stays there until it is done.
func checkStream(c jetstream.StreamConfig) error {
	switch {
	case c.Storage != jetstream.FileStorage:
		return fmt.Errorf("stream %s is not stored in files: delete it, or set its storage to file", c.Name)
	case c.PersistMode == jetstream.AsyncPersistMode:
		return fmt.Errorf("stream %s acknowledges before it writes: set its persist_mode to default", c.Name)
	case c.Retention != jetstream.LimitsPolicy:
		return fmt.Errorf("stream %s does not keep messages until they are purged: delete it, or create it again with retention limits", c.Name)
	case c.MaxMsgsPerSubject > 0 && c.Name != messages.StreamFailed:
		return fmt.Errorf("stream %s drops the older messages of a subject: set its max_msgs_per_subject to -1", c.Name)
	case c.Discard != jetstream.DiscardNew:
		return fmt.Errorf("stream %s discards old messages when it is full: set its discard policy to new", c.Name)
	case c.RePublish != nil && c.Name == events.StreamEvents &&
		(c.RePublish.Source != events.SubjectEvents+">" || c.RePublish.Destination != events.SubjectLive+">" || c.RePublish.HeadersOnly):
		return fmt.Errorf("stream %s does not republish as subscribers expect: set its republish source to %s and destination to %s, with bodies",
			c.Name, events.SubjectEvents+">", events.SubjectLive+">")
	case c.MaxAge != 0 && c.Name != events.StreamEvents:
		return fmt.Errorf("stream %s forgets messages by age: set its max_age to 0", c.Name)
	}
	return nil
}
