package workers_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// register registers s1 and returns why that is refused.
func (p *play) register() error {
	p.Helper()
	results, err := p.store.PutSessions(p.Context(), []store.Session{{ID: p.old, User: p.user, ExpiresAt: time.Now().Add(time.Hour)}})
	p.must(err)
	return results[0].Err
}

func (p *play) tombstones(outcome string) float64 {
	return p.metric("logoutd_tombstones_total", map[string]string{"outcome": outcome})
}

func TestUnknownSessionLeavesATombstone(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	p.old = store.TokenID("later")
	p.skip("session")
	p.settle()
	if err := p.register(); !errors.Is(err, store.ErrRevoked) {
		t.Errorf("registered with %v, want it refused", err)
	}
	if n := p.tombstones("written"); n != 1 {
		t.Errorf("%v tombstones counted, want 1", n)
	}
}

// Strangers can present any number of sessions while fences are skipped.
func TestTombstonesAreBounded(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	revoker := p.revoker(httpTarget(p))
	revoker.LimitTombstones(2)
	p.run(revoker.Run)
	for i := range 4 {
		p.old = store.TokenID(fmt.Sprint("later ", i))
		p.skip("session")
		p.eventually("the tombstone is counted", func() bool { return p.tombstones("written")+p.tombstones("refused") > float64(i) })
		p.settled()
		if err := p.register(); errors.Is(err, store.ErrRevoked) != (i < 2) {
			t.Errorf("session %d is registered with %v", i, err)
		}
	}
	if written, refused := p.tombstones("written"), p.tombstones("refused"); written != 2 || refused != 2 {
		t.Errorf("%v tombstones written and %v refused, want 2 and 2", written, refused)
	}
}

// The bound of an unfenced request is when the broker first had it, however
// often it is given up and replayed because it cannot be read.
func TestUnreadableUnfencedMessageKeepsItsFirstTime(t *testing.T) {
	t.Parallel()
	p := newPlay(t)
	_, err := p.broker.JS.Publish(t.Context(), messages.SubjectUnfenced, []byte("{not json"))
	p.must(err)
	appended := p.broker.Messages(messages.StreamRequests)[0].Time.UTC().Truncate(time.Millisecond)
	p.run(p.revoker(httpTarget(p)).Run)
	seq := uint64(0)
	for replays := range 3 {
		letter := p.letter(seq)
		seq = letter.Seq
		if letter.Subject != messages.SubjectUnfenced || !letter.AppendedAt.Equal(appended) || letter.Replays != replays {
			t.Errorf("letter of %s, appended at %s, %d replays; want %s, %d", letter.Subject, letter.AppendedAt, letter.Replays, appended, replays)
		}
		p.eventually("the next millisecond", func() bool { return time.Since(appended) > 10*time.Millisecond })
		p.replay(letter)
	}
}
