package workers_test

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// plays are what may happen between a logout whose fence was skipped and
// another one of the same session.
var plays = map[string]func(*play){
	"fenced later": func(p *play) {
		p.skip(p.first)
		p.login()
		p.fenced(p.second)
		p.settle()
	},
	"skipped again": func(p *play) {
		p.skip(p.first)
		p.login()
		p.skip(p.second)
		p.settle()
	},
	"the worker that holds the first dies": func(p *play) {
		p.skip(p.first)
		p.dies()
		p.login()
		p.fenced(p.second)
		p.settle()
	},
	"handed back behind the second": func(p *play) {
		p.skip(p.first)
		p.login()
		p.fenced(p.second)
		p.store.set(true) // the store is down for revocations
		stop := p.run(p.revoker(httpTarget(p)).Run)
		p.eventually("an attempt", func() bool { return p.store.revokes() > 0 })
		stop()
		p.store.set(false)
		p.settle()
	},
	"applied and purged before the second": func(p *play) {
		p.skip(p.first)
		p.login()
		second := p.logout(p.second, p.old)
		p.settle()()
		p.purge()
		p.must(p.publisher.Requests(p.Context(), second))
		p.settle()
	},
	"given up, then replayed behind the second": func(p *play) {
		p.retry.GiveUpAfter = time.Millisecond
		p.skip(p.first)
		p.login()
		second := p.logout(p.second, p.old)
		p.store.refuse(messages.RequestID(p.first, p.old), errors.New("malformed record"))
		stop := p.run(p.revoker(httpTarget(p)).Run)
		p.eventually("dead letter", func() bool { return len(p.letters()) == 1 && p.pending() == 0 })
		letter := p.letters()[0]
		if !letter.Request.Fenced || letter.Request.UserID != p.user.ID || letter.Request.Cutoff.IsZero() {
			p.Errorf("letter of %+v, want one that is fenced", letter.Request)
		}
		stop()
		p.store.refuse("", nil)
		p.must(p.publisher.Requests(p.Context(), second))
		p.settle()()
		p.must(deadletters.NewDeadLetters(p.broker.JS).Replay(p.Context(), letter.ID))
		p.settle()
	},
	"given up before it is applied, purged, then the second": func(p *play) {
		p.retry.GiveUpAfter = time.Millisecond
		p.skip(p.first)
		p.login()
		second := p.logout(p.second, p.old)
		whole := p.store.Store
		p.store.Store = refusingStore{whole, messages.RequestID(p.first, p.old)}
		stop := p.run(p.revoker(httpTarget(p)).Run)
		p.eventually("dead letter", func() bool { return len(p.letters()) == 1 && p.pending() == 0 })
		stop()
		p.store.Store = whole
		p.purge()
		p.must(p.publisher.Requests(p.Context(), second))
		p.settle()()
		p.must(deadletters.NewDeadLetters(p.broker.JS).Replay(p.Context(), p.letters()[0].ID))
		p.settle()
	},
	"a late fence": func(p *play) {
		p.skip(p.first)
		p.login()
		p.fenceOnly(p.first)
		p.fenced(p.second)
		p.settle()
	},
	"a fence whose answer is lost": func(p *play) {
		p.fenceOnly(p.first)
		p.skip(p.first)
		p.login()
		p.fenced(p.second)
		p.settle()
	},
	"in one message with the second": func(p *play) { // the first was put back
		first := p.skipped(p.first)
		first.AppendedAt = events.At(time.Now())
		p.login()
		p.must(p.publisher.Requests(p.Context(), p.skipped(p.second), first))
		p.settle()
	},
	"split behind the second": func(p *play) {
		other := p.skipped(p.first)
		other.SessionID = store.TokenID("unknown")
		other.ID = messages.RequestID(other.Scope, other.SessionID)
		p.must(p.publisher.Requests(p.Context(), p.skipped(p.first), other))
		p.dies()
		p.login()
		p.fenced(p.second)
		p.settle()
		if n := len(p.broker.Messages(messages.StreamRequests)); n != 4 {
			p.Errorf("%d messages, want two and two halves", n)
		}
	},
	"retried behind the second": func(p *play) {
		p.retry.GiveUpAfter = time.Minute
		p.skip(p.first)
		p.login()
		p.fenced(p.second)
		p.store.refuse(messages.RequestID(p.first, p.old), errors.New("malformed record"))
		p.run(p.revoker(httpTarget(p)).Run)
		p.eventually("a copy", func() bool { return len(p.broker.Messages(messages.StreamRequests)) > 2 })
		p.store.refuse("", nil)
		p.settled()
	},
	"both given up, then both replayed without a record": func(p *play) {
		p.retry.GiveUpAfter = time.Millisecond
		p.skip(p.first)
		p.login()
		p.fenced(p.second)
		ids := slices.Compact([]string{messages.RequestID(p.first, p.old), messages.RequestID(p.second, p.old)})
		p.store.refuse(ids[0], errors.New("malformed record"))
		p.store.refuses[ids[len(ids)-1]] = p.store.refuses[ids[0]]
		stop := p.run(p.revoker(httpTarget(p)).Run)
		p.eventually("dead letters", func() bool { return len(p.letters()) == len(ids) && p.pending() == 0 })
		stop()
		p.store.refuse("", nil)
		p.forget()
		for _, letter := range p.letters() {
			p.must(deadletters.NewDeadLetters(p.broker.JS).Replay(p.Context(), letter.ID))
		}
		p.settle()
	},
	"its end is forgotten": func(p *play) {
		p.skip(p.first)
		p.login()
		p.fenced(p.first)
		p.settle()()
		p.purge()
		p.forgetEnd()
		p.fenced(p.second)
		p.settle()
	},
	"expired before": func(p *play) {
		expiry := time.Now().Add(200 * time.Millisecond).Truncate(time.Millisecond)
		p.old = p.putUntil("brief", expiry)
		p.eventually("s1 has expired", func() bool { // a login of the same millisecond counts as before it
			now, err := p.store.Now(p.Context())
			p.must(err)
			return now.After(expiry)
		})
		p.login()
		p.skip(p.first)
		p.skip(p.second)
		p.settle()
	},
	"cut by an operator before": func(p *play) {
		fenced, err := p.store.Fence(p.Context(), []store.Fence{{RequestID: "cut", User: p.user}})
		p.must(err, fenced[0].Err)
		p.must(p.publisher.Requests(p.Context(), messages.Request{
			ID: "cut", Dialect: "admin", Initiator: messages.InitiatorAdmin, Scope: "user", UserID: p.user.ID,
			Cutoff: events.At(fenced[0].Cutoff), Fenced: true, RequestedAt: events.At(time.Now()),
		}))
		p.login()
		p.skip(p.first)
		p.skip(p.second)
		p.settle()
	},
	"the broker's clock is ahead": func(p *play) {
		p.js.off = 2 * time.Second
		p.skip(p.first)
		p.login()
		p.fenced(p.second)
		p.settle()
	},
	"the broker's clock is behind": func(p *play) {
		p.js.off = -2 * time.Second
		p.skip(p.first)
		p.login()
		p.fenced(p.second)
		p.settle()
	},
	"the broker shows less than it has delivered": func(p *play) {
		p.skip(p.first)
		p.dies()
		p.login()
		p.fenced(p.second)
		p.js.behind.Store(3)
		p.settle()
		if p.js.behind.Load() > 0 {
			p.Error("the stream was not looked at")
		}
	},
	"fewer are read than counted": func(p *play) {
		p.skip(p.first)
		p.dies()
		p.login()
		p.fenced(p.second)
		p.js.lost.Store(3)
		p.settle()
		if p.js.lost.Load() > 0 {
			p.Error("the unfenced requests were not read")
		}
	},
}

// dies lets a worker pull the first message and die. The message is delivered
// again once another one has revoked something.
func (p *play) dies() {
	p.Helper()
	consumer, err := p.broker.JS.CreateConsumer(p.Context(), messages.StreamRequests, jetstream.ConsumerConfig{
		Durable: messages.ConsumerRevoker, AckPolicy: jetstream.AckExplicitPolicy, MaxDeliver: -1,
		FilterSubjects: []string{messages.SubjectRequests, messages.SubjectUnfenced},
	})
	p.must(err)
	msg, err := consumer.Next()
	p.must(err)
	p.giveBack = msg.Nak
}

// purge removes what is done from the stream.
func (p *play) purge() {
	p.Helper()
	stream, err := p.broker.JS.Stream(p.Context(), messages.StreamRequests)
	p.must(err)
	p.must(stream.Purge(p.Context()))
}

// refusingStore does nothing for one request.
type refusingStore struct {
	store.Store
	requestID string
}

func (s refusingStore) Revoke(ctx context.Context, revocations []store.Revocation) ([]store.Revoked, error) {
	results := make([]store.Revoked, len(revocations))
	for i, r := range revocations {
		if r.RequestID == s.requestID {
			results[i].Err = errors.New("malformed record")
			continue
		}
		done, err := s.Store.Revoke(ctx, []store.Revocation{r})
		if err != nil {
			return nil, err
		}
		results[i] = done[0]
	}
	return results, nil
}

// fenceOnly fences s1 for a logout that is not published.
func (p *play) fenceOnly(scope string) {
	p.Helper()
	fenced, err := p.store.Fence(p.Context(), []store.Fence{{RequestID: messages.RequestID(scope, p.old), SessionID: p.old}})
	p.must(err, fenced[0].Err)
}
