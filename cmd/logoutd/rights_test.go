package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/damage"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/messages"
)

// deployNATS starts a NATS with deployments/nats/nats.conf.
func deployNATS(t *testing.T) *natsServer {
	t.Helper()
	var env []string
	for _, user := range []string{"front", "worker", "admin"} {
		env = append(env, "NATS_"+strings.ToUpper(user)+"_PASSWORD="+passwordOf(user))
	}
	return newNATSWith(t, deployment(t, "nats", "nats.conf"), env...)
}

// as is a connection of a role, which must not be refused anything.
func (n *natsServer) as(t *testing.T, role string) jetstream.JetStream {
	t.Helper()
	conn, err := broker.Connect(broker.ConnectConfig{
		URL: n.url(), Name: role, Options: []nats.Option{nats.UserInfo(role, passwordOf(role))},
		OnError: func(err error) { t.Errorf("%s: %v", role, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := broker.JetStream(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// TestDeployedOperators does what operators do with the deployed rights of the
// role admin, down to what waits and what is paused.
func TestDeployedOperators(t *testing.T) {
	t.Parallel()
	n := deployNATS(t)
	js, worker := n.as(t, roleAdmin), n.as(t, roleWorker)
	if err := broker.SetupFrom(t.Context(), js, 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running errgroup.Group
	tokens := access.New(access.Config{JetStream: js})
	projection, err := deadletters.Open(deadletters.Config{JetStream: js, Path: filepath.Join(t.TempDir(), "letters.db")})
	if err != nil {
		t.Fatal(err)
	}
	work := jobs.New(jobs.Config{JetStream: js, Works: map[string]jobs.Work{"count": counting{}}})
	sessions := access.NewSessions(access.SessionsConfig{JetStream: js, Tokens: tokens})
	for _, run := range []func(context.Context) error{tokens.Run, sessions.Run, projection.Run, work.Run} {
		running.Go(func() error { return run(ctx) })
	}
	keepTokens(t, tokens)
	keepSessions(t, sessions, tokens)
	keepLog(t, audit.New(js))
	replayLetters(t, projection, js, worker)
	runJob(t, work)
	seePause(t, js, worker)
	switchTarget(t, js, worker)
	seeWaiting(t, js, 1)
	shareDamage(t, ctx, js)
	cancel()
	if err := errors.Join(running.Wait(), projection.Close()); err != nil {
		t.Error(err)
	}
}

func keepTokens(t *testing.T, tokens *access.Tokens) {
	t.Helper()
	eventually(t, "tokens read", tokens.Loaded)
	if _, _, err := tokens.Create(t.Context(), "ops.night", access.Operator, access.RootName); err != nil {
		t.Error(err)
	}
	if all, err := tokens.List(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("tokens: %v, %v", all, err)
	}
	if err := tokens.Revoke(t.Context(), "ops.night"); err != nil {
		t.Error(err)
	}
}

// keepSessions has the bucket watched, written, read and deleted from.
func keepSessions(t *testing.T, sessions *access.Sessions, tokens *access.Tokens) {
	t.Helper()
	secret, _, err := tokens.Create(t.Context(), "night", access.Viewer, access.RootName)
	if err != nil {
		t.Fatal(err)
	}
	caller, _ := tokens.Authenticate(secret)
	_, began := sessions.Begin(t.Context(), access.HashOf(secret), caller, "192.0.2.1")
	if _, stood := sessions.End(t.Context(), began.ID); !stood {
		t.Error("a session has not begun")
	}
	if err := tokens.Revoke(t.Context(), "night"); err != nil {
		t.Error(err)
	}
}

func keepLog(t *testing.T, log *audit.Log) {
	t.Helper()
	if err := log.Append(t.Context(), audit.Entry{By: access.RootName, Action: audit.ActionLogin}); err != nil {
		t.Error(err)
	}
	if all, _, err := log.List(t.Context(), audit.Filter{}, "", 0); err != nil || len(all) != 1 {
		t.Errorf("audit log: %v, %v", all, err)
	}
}

// replayLetters has one letter replayed and one discarded.
func replayLetters(t *testing.T, projection *deadletters.Letters, js, worker jetstream.JetStream) {
	t.Helper()
	publisher := broker.NewPublisher(worker, nil)
	defer publisher.Close()
	now := events.At(time.Now())
	for seq := range uint64(2) {
		request := messages.Request{
			ID: fmt.Sprint("r", seq), Dialect: "kratos", Initiator: messages.InitiatorUser, Scope: "session",
			SessionID: "s", UserID: "ada", Cutoff: now, RequestedAt: now,
		}
		letter := messages.DeadLetter{ID: request.ID, Step: messages.StepRevoke, FirstFailedAt: now, LastFailedAt: now, FailedAt: now, Request: &request}
		if err := publisher.DeadLetter(t.Context(), letter, seq); err != nil {
			t.Fatal(err)
		}
	}
	all := deadletters.NewDeadLetters(js)
	if _, err := all.Get(t.Context(), "r0"); err != nil {
		t.Error(err)
	}
	replaying := all.ReplayAt(t.Context(), 1, messages.Replayed{By: access.RootName})
	discarding := all.DiscardAt(t.Context(), 2)
	if err := errors.Join(replaying, discarding, projection.Settled(t.Context())); err != nil {
		t.Error(err)
	}
}

func runJob(t *testing.T, work *jobs.Jobs) {
	t.Helper()
	plan, err := work.Prepare(t.Context(), jobs.Draft{Kind: "count", By: access.RootName}, oneItem())
	if err != nil {
		t.Fatal(err)
	}
	job, err := work.Start(t.Context(), jobs.Start{Token: plan.Token, Kind: "count", By: access.RootName, Reason: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the job done", func() bool {
		now, err := work.Get(t.Context(), job.ID)
		return err == nil && now.State == "done"
	})
}

func oneItem() iter.Seq2[jobs.Item, error] {
	return func(yield func(jobs.Item, error) bool) { yield(jobs.Item("1"), nil) }
}

// counting is the work of counting items.
type counting struct{}

func (counting) Do(_ context.Context, _ jobs.Job, items []jobs.Item) (map[string]int, error) {
	return map[string]int{"counted": len(items)}, nil
}

func (counting) Selected(json.RawMessage) ([]jobs.Criterion, error) { return nil, nil }

func seePause(t *testing.T, js, worker jetstream.JetStream) {
	t.Helper()
	pause := broker.Paused{Step: "http", Target: "http", Since: events.At(time.Now()), Code: "http_503"}
	if err := broker.PutPaused(t.Context(), worker, pause); err != nil {
		t.Fatal(err)
	}
	if all, err := broker.AllPaused(t.Context(), js); err != nil || !slices.Equal(all, []broker.Paused{pause}) {
		t.Errorf("paused: %v, %v", all, err)
	}
	if err := broker.DeletePaused(t.Context(), worker, pause); err != nil {
		t.Error(err)
	}
}

// switchTarget has a worker disable a target and an operator enable it.
func switchTarget(t *testing.T, js, worker jetstream.JetStream) {
	t.Helper()
	d := broker.Disabled{Kind: "webhook", Target: "billing", Since: events.At(time.Now()), Code: "http_410", Reason: "it is gone"}
	if err := broker.DisableTarget(t.Context(), worker, d); err != nil {
		t.Fatal(err)
	}
	disabled, err := broker.TargetDisabled(t.Context(), worker, d.Kind, d.Target)
	all, errAll := broker.AllDisabled(t.Context(), js)
	if !disabled || !slices.Equal(all, []broker.Disabled{d}) {
		t.Errorf("disabled: %v, %v, %v", all, err, errAll)
	}
	if enabled, err := broker.EnableTarget(t.Context(), js, d.Kind, d.Target); !enabled || err != nil {
		t.Errorf("not enabled: %v", err)
	}
}

// seeWaiting reads the requests that the revoker has not got to.
func seeWaiting(t *testing.T, js jetstream.JetStream, want int) {
	t.Helper()
	waiting := 0
	err := broker.Pending(t.Context(), js, func(requests []messages.Request) error {
		waiting += len(requests)
		return nil
	})
	if err != nil || waiting != want {
		t.Errorf("%d requests wait, want %d: %v", waiting, want, err)
	}
}

// shareDamage has an acknowledgement told to other processes and read by one.
func shareDamage(t *testing.T, ctx context.Context, js jetstream.JetStream) {
	t.Helper()
	var watches [2]*damage.Watch
	for i := range watches {
		path := filepath.Join(t.TempDir(), streamsFile)
		finding := `{"streams":{},"findings":[{"stream":"LOGOUT_TASKS","found_at":"2026-01-02T03:04:05Z","text":"lost"}]}`
		if err := os.WriteFile(path, []byte(finding), 0o600); err != nil {
			t.Fatal(err)
		}
		var err error
		if watches[i], err = damage.Open(damage.Config{JetStream: js, Path: path, Logger: slog.New(slog.DiscardHandler)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := watches[0].Acknowledge(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	var running errgroup.Group
	for _, w := range watches {
		running.Go(func() error { return w.Run(ctx) })
	}
	eventually(t, "the other process is told", func() bool { return len(watches[1].Findings()) == 0 })
	cancel()
	_ = running.Wait() // Run returns nil
}

// TestDeployedKeep: nobody gives himself a token, changes what was audited, or
// takes the revoker's work away.
func TestDeployedKeep(t *testing.T) {
	t.Parallel()
	n := deployNATS(t)
	js := n.as(t, roleAdmin)
	if err := broker.Setup(t.Context(), js); err != nil {
		t.Fatal(err)
	}
	tokens, log := access.New(access.Config{JetStream: js}), audit.New(js)
	if _, _, err := tokens.Create(t.Context(), "one", access.Viewer, access.RootName); err != nil {
		t.Fatal(err)
	}
	keepLog(t, log)
	if _, err := n.as(t, roleWorker).CreateConsumer(t.Context(), messages.StreamRequests, jetstream.ConsumerConfig{Durable: messages.ConsumerRevoker}); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{roleFront, roleWorker, roleAdmin} {
		conn := n.jetStream(t, natsUser(role)...).Conn()
		for _, subject := range []string{
			"$JS.API.STREAM.PURGE.LOGOUT_AUDIT", "$JS.API.STREAM.DELETE.LOGOUT_AUDIT", "$JS.API.STREAM.DELETE.KV_logoutd_tokens",
			"$JS.API.STREAM.PURGE.KV_logoutd_tokens", "$KV.logoutd_tokens.two", "logout.audit.login",
			"$JS.API.CONSUMER.DELETE.LOGOUT_REQUESTS." + messages.ConsumerRevoker,
		} {
			if role == roleAdmin && !strings.HasPrefix(subject, "$JS.") {
				continue // that is what it does
			}
			if err := conn.Publish(subject, []byte("{}")); err != nil {
				t.Fatal(err)
			}
		}
		if err := conn.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	all, _, err := log.List(t.Context(), audit.Filter{}, "", 0)
	held, listing := tokens.List(t.Context())
	if errors.Join(err, listing) != nil || len(all) != 1 || len(held) != 1 {
		t.Errorf("entries %v, tokens %v: %v", all, held, errors.Join(err, listing))
	}
	if _, err := js.Consumer(t.Context(), messages.StreamRequests, messages.ConsumerRevoker); err != nil {
		t.Error(err)
	}
}
