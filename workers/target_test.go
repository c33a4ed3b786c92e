package workers_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/internal/testkit"
	"github.com/logoutd/logoutd/store"
	"github.com/logoutd/logoutd/workers"
)

// provider is a push provider that answers as it is told.
type provider struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(token string) int // 0: hang
	done   map[string]int         // successful deletions by push token
	asked  int
}

func newProvider(t *testing.T, answer func(token string) int) *provider {
	p := &provider{answer: answer, done: map[string]int{}}
	stop := make(chan struct{})
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := strings.TrimPrefix(r.URL.Path, "/")
		p.mu.Lock()
		p.asked++
		status := p.answer(token)
		if status/100 == 2 {
			p.done[token]++
		}
		p.mu.Unlock()
		if status == 0 {
			select {
			case <-stop:
			case <-r.Context().Done():
			}
			return
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(func() {
		close(stop)
		p.Close()
	})
	return p
}

func (p *provider) set(answer func(string) int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func (p *provider) deleted(token string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.done[token]
}

func (p *provider) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func always(status int) func(string) int { return func(string) int { return status } }

func (w *world) runTarget(p *provider) (stop func()) {
	w.Helper()
	return w.run(w.worker(w.target(p.URL)).Run)
}

func TestOneBadDeviceDelaysOnlyItself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := newProvider(t, func(token string) int {
		switch token {
		case "push-broken":
			return http.StatusInternalServerError
		case "push-hanging":
			return 0
		default:
			return http.StatusNoContent
		}
	})
	w.run(w.revoker(httpTarget(w)).Run)
	w.runTarget(p)
	names := []string{"broken", "hanging"}
	for i := range 30 {
		names = append(names, fmt.Sprint("fine-", i))
	}
	for _, name := range names {
		w.must(w.publisher.Requests(t.Context(), w.logout("session", w.login(name, name))))
	}
	for _, name := range names[2:] {
		w.eventually("deletion of "+name, func() bool { return p.deleted("push-"+name) == 1 })
	}
	w.withTraffic("two dead letters", p, func() bool { return len(w.letters()) == 2 })
	for _, letter := range w.letters() {
		wantBadDevice(t, letter)
	}

	p.set(always(http.StatusNoContent))
	for _, letter := range w.letters() {
		w.must(deadletters.NewDeadLetters(w.broker.JS).Replay(t.Context(), letter.ID))
	}
	for _, name := range names {
		w.eventually("deletion of "+name, func() bool { return p.deleted("push-"+name) == 1 })
	}
	if w.log.Contains("push-") {
		t.Errorf("the log shows a push token:\n%s", w.log)
	}
}

func pushTokenOf(d messages.Delivery) string {
	var reg testkit.Registration
	_ = json.Unmarshal(d.Payload, &reg)
	return reg.PushToken
}

// wantBadDevice checks a dead letter of the devices that answer badly.
func wantBadDevice(t *testing.T, letter messages.DeadLetter) {
	t.Helper()
	switch pushTokenOf(*letter.Delivery) {
	case "push-broken":
		if letter.Code != "http_500" || letter.Attempts < 4 {
			t.Errorf("broken device: %+v", letter)
		}
	case "push-hanging":
		if letter.Code != "timeout" || letter.Attempts < 2 {
			t.Errorf("hanging device: %+v", letter)
		}
	default:
		t.Errorf("a device that answers well: %+v", letter)
	}
	if letter.Step != "http" || letter.Target != "http" || letter.Request.UserID == "" {
		t.Errorf("dead letter %+v", letter)
	}
}

func TestOutageOfATargetBurnsNoAttempts(t *testing.T) {
	for name, status := range map[string]int{
		"server error": http.StatusBadGateway, "wrong key": http.StatusUnauthorized,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.retry.GiveUpAfter = time.Millisecond // a single counted failure would make a dead letter
			p := newProvider(t, always(status))
			w.run(w.revoker(httpTarget(w)).Run)
			var requests []messages.Request
			for i := range 20 {
				name := fmt.Sprint("user-", i)
				requests = append(requests, w.logout("session", w.login(name, name)))
			}
			w.must(w.publisher.Requests(t.Context(), requests...))
			w.eventually("tasks", func() bool { return len(w.broker.Messages(messages.StreamTasks)) == 20 })
			w.runTarget(p)
			w.eventually("pause", func() bool {
				return w.metric("logoutd_paused", map[string]string{"target": "http"}) == 1
			})
			before := p.requests()
			w.eventually("probes", func() bool { return p.requests() >= before+2 })
			p.set(always(http.StatusOK))
			for i := range 20 {
				w.eventually("deletion", func() bool { return p.deleted(fmt.Sprint("push-user-", i)) == 1 })
			}
			if letters := w.letters(); len(letters) != 0 {
				t.Errorf("dead letters: %+v", letters)
			}
			if w.metric("logoutd_paused", map[string]string{"target": "http"}) != 0 {
				t.Error("still paused")
			}
		})
	}
}

// An obsolete task asks nothing of the target, and so does not show that it is
// back: otherwise the others would be blamed for failing still.
func TestObsoleteTaskEndsNoPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.retry.GiveUpAfter = time.Millisecond // a single counted failure would make a dead letter
	p := newProvider(t, always(http.StatusBadGateway))
	w.run(w.revoker(httpTarget(w)).Run)
	const tasks = 10
	for i := range tasks {
		name := fmt.Sprint("user-", i)
		w.must(w.publisher.Requests(t.Context(), w.logout("session", w.login(name, name))))
	}
	w.eventually("revoked", func() bool { return w.metric("logoutd_revocations_total", nil) == tasks })
	w.runTarget(p)
	paused := func() bool { return w.metric("logoutd_paused", map[string]string{"target": "http"}) == 1 }
	w.eventually("pause", paused)
	for i := range tasks - 1 {
		name := fmt.Sprint("user-", i)
		w.registerPush(name, name)
	}
	w.eventually("obsolete tasks", func() bool {
		return w.metric("logoutd_attempts_total", map[string]string{"outcome": "obsolete"}) == tasks-1
	})
	if !paused() || w.metric("logoutd_pauses_total", map[string]string{"target": "http"}) != 1 {
		t.Error("an obsolete task ended the pause")
	}
	p.set(always(http.StatusOK))
	w.eventually("deletion", func() bool { return p.deleted(fmt.Sprint("push-user-", tasks-1)) == 1 })
	if letters := w.letters(); len(letters) != 0 {
		t.Errorf("dead letters: %+v", letters)
	}
}

func TestWaitForTheStoreIsNoWaitOfTheTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.retry.GiveUpAfter = 400 * time.Millisecond // less than the first wait for a store
	throttle := true
	p := newProvider(t, func(string) int {
		defer func() { throttle = false }()
		if throttle {
			return http.StatusTooManyRequests
		}
		return http.StatusOK
	})
	w.run(w.revoker(httpTarget(w)).Run)
	w.must(w.publisher.Requests(t.Context(), w.logout("session", w.login("ada", "one"))))
	w.eventually("revoked", func() bool { return w.metric("logoutd_revocations_total", nil) == 1 })
	w.store.set(true)
	w.runTarget(p)
	w.eventually("wait", func() bool { return w.store.checks() > 0 })
	w.store.set(false)
	w.eventually("answer", func() bool { return p.deleted("push-one") == 1 || len(w.letters()) > 0 })
	if letters := w.letters(); len(letters) != 0 {
		t.Errorf("given up for a wait that was not its own: %+v", letters)
	}
}

func TestPermanentRefusalIsADeadLetterAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := newProvider(t, always(http.StatusBadRequest))
	w.run(w.revoker(httpTarget(w)).Run)
	w.runTarget(p)
	w.must(w.publisher.Requests(t.Context(), w.logout("session", w.login("ada", "one"))))
	w.eventually("dead letter", func() bool { return len(w.letters()) == 1 })
	if letter := w.letters()[0]; letter.Code != "http_400" || letter.Attempts != 1 {
		t.Errorf("dead letter %+v", letter)
	}
}

func TestDeviceThatRegisteredAnewIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := newProvider(t, always(http.StatusNoContent))
	w.run(w.revoker(httpTarget(w)).Run)
	request := w.logout("session", w.login("ada", "one"))
	w.must(w.publisher.Requests(t.Context(), request))
	w.eventually("task", func() bool { return len(w.revoked("session")) == 1 })
	w.registerPush("ada", "one") // while the provider was not told yet
	w.runTarget(p)
	w.eventually("obsolete task", func() bool {
		return w.metric("logoutd_attempts_total", map[string]string{"outcome": "obsolete"}) == 1
	})
	if p.requests() != 0 {
		t.Error("the provider was told to delete the new registration")
	}
}

func TestUnknownProviderIsToldToNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.revoker().Run)
	request := w.logout("session", w.login("ada", "one"))
	w.must(w.publisher.Requests(t.Context(), request))
	w.eventually("public event", func() bool { return len(w.revoked("session")) == 1 })
	if n := len(w.broker.Messages(messages.StreamTasks)); n != 0 {
		t.Errorf("%d tasks, want none", n)
	}
	w.eventually("registration gone", func() bool {
		results, err := w.store.Revoke(t.Context(), []store.Revocation{{
			RequestID: "look", Scope: store.ScopeUser, User: store.User{ID: "ada"}, Cutoff: time.Now(),
		}})
		w.must(err, errors.Join(results[0].Err))
		return len(results[0].PushRegistrations) == 0
	})
}

// Devices that always fail, many more than are attempted at once, come first.
// Whatever else is logged out is done all the same.
func TestManyBadDevicesDelayOnlyThemselves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := newProvider(t, func(token string) int {
		if strings.HasPrefix(token, "push-bad") {
			return http.StatusInternalServerError
		}
		return http.StatusNoContent
	})
	const bad = 50
	var requests []messages.Request
	for i := range bad {
		name := fmt.Sprint("bad-", i)
		requests = append(requests, w.logout("session", w.login(name, name)))
	}
	w.must(w.publisher.Requests(t.Context(), requests...))
	w.run(w.revoker(httpTarget(w)).Run)
	w.eventually("tasks", func() bool { return len(w.broker.Messages(messages.StreamTasks)) == bad })
	w.runTarget(p)
	paused := func() bool { return w.metric("logoutd_paused", map[string]string{"target": "http"}) == 1 }
	w.eventually("pause", paused)

	for i := range 3 {
		name := fmt.Sprint("fine-", i)
		w.must(w.publisher.Requests(t.Context(), w.logout("session", w.login(name, name))))
		w.eventually("deletion of "+name, func() bool { return p.deleted("push-"+name) == 1 })
	}
	w.withTraffic("dead letters", p, func() bool { return len(w.letters()) == bad })
}

// withTraffic logs users out whose devices answer well until ok: only others
// that succeed can tell whose fault a failure is.
func (w *world) withTraffic(what string, p *provider, ok func() bool) {
	w.Helper()
	healthy := 0
	for deadline := time.Now().Add(40 * time.Second); !ok(); healthy++ {
		if time.Now().After(deadline) {
			w.Fatalf("%s: not in time; log:\n%s", what, w.log)
		}
		name := fmt.Sprint("healthy-", healthy)
		w.must(w.publisher.Requests(w.Context(), w.logout("session", w.login(name, name))))
		w.eventually("deletion of "+name, func() bool { return p.deleted("push-"+name) == 1 })
	}
}

func TestTasksOfATargetThatIsNoMoreAreShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(w.revoker(httpTarget(w)).Run)
	w.must(w.publisher.Requests(t.Context(), w.logout("session", w.login("ada", "one"))))
	w.eventually("task", func() bool { return len(w.broker.Messages(messages.StreamTasks)) == 1 })
	w.registry.MustRegister(workers.NewBacklog(w.broker.JS, nil, w.logger))
	if n := w.metric("logoutd_backlog_messages", map[string]string{"step": "http", "target": "http"}); n != 1 {
		t.Errorf("%v tasks of the target that is not configured, want 1", n)
	}
}

// The task was published, and tried, before the newer login came: to another
// user of the device, or to the same user under a new device id.
func TestPushTokenOfANewerLoginIsLeftAlone(t *testing.T) {
	t.Parallel()
	for name, newer := range map[string]store.PushRegistration{
		"another user":   {User: store.User{ID: "bob"}, DeviceID: "device of one"},
		"another device": {User: store.User{ID: "ada"}, DeviceID: "device of one, set up again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := newProvider(t, always(http.StatusNoContent))
			w.run(w.revoker(httpTarget(w)).Run)
			w.must(w.publisher.Requests(t.Context(), w.logout("session", w.login("ada", "one"))))
			w.eventually("task", func() bool { return len(w.revoked("session")) == 1 })
			newer.Provider, newer.PushToken = "http", "push-one"
			results, err := w.store.PutPushRegistrations(t.Context(), []store.PushRegistration{newer})
			w.must(err, results[0].Err)
			w.runTarget(p)
			w.eventually("obsolete task", func() bool {
				return w.metric("logoutd_attempts_total", map[string]string{"outcome": "obsolete"}) == 1
			})
			if p.requests() != 0 {
				t.Error("the provider was told to delete the push token of the newer login")
			}
			session := store.Session{ID: store.TokenID("newer"), User: newer.User, DeviceID: newer.DeviceID, ExpiresAt: time.Now().Add(time.Hour)}
			results, err = w.store.PutSessions(t.Context(), []store.Session{session})
			w.must(err, results[0].Err)
			w.must(w.publisher.Requests(t.Context(), w.logout("session", session.ID)))
			w.eventually("deleted with the newer login", func() bool { return p.deleted("push-one") == 1 })
		})
	}
}
