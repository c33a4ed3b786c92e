package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mostDrain is how long a stop may take.
const mostDrain = 10 * time.Second

// stop sends SIGTERM and expects the instance to end well and in time.
func (i *instance) stop(most time.Duration) {
	i.t.Helper()
	i.signal(syscall.SIGTERM)
	code, took := i.exit(patience)
	i.t.Logf("stopped after %s", took.Round(time.Millisecond))
	if code != exitOK || took > most {
		i.t.Errorf("exit code %d after %s, want 0 within %s", code, took, most)
	}
}

// TestStopAnswersWhatIsInFlight sends the body of a logout after SIGTERM. A
// tail of events, which never ends by itself, does not hold the stop up.
func TestStopAnswersWhatIsInFlight(t *testing.T) {
	t.Parallel()
	i := newSetup(t, "").start(t)
	first, second := newLogin("ada", "first"), newLogin("bob", "second")
	i.mustRegister(first, second)
	i.mustLogOut("kratos", first.session)
	tail := i.command("", "events", "--since", "1h")
	eventually(t, "a tail", func() bool { return tail.stdout.contains(first.id()) })
	finish := i.begin(t, second)

	start := time.Now()
	i.signal(syscall.SIGTERM)
	eventually(t, "no more connections", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(i.public, "http://"))
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	if status := finish(); status != http.StatusNoContent {
		t.Errorf("in flight: %d, want 204", status)
	}
	if code, _ := i.exit(patience); code != exitOK || time.Since(start) > 5*time.Second {
		t.Errorf("exit code %d after %s", code, time.Since(start))
	}
	tail.exit(patience)
	again := i.setup.start(t)
	eventually(t, "complete after a restart", func() bool { return again.dead(second) })
}

// begin sends a logout without its body and returns once that is waited for.
// The function sends it and returns the status of the answer.
func (i *instance) begin(t *testing.T, who login) (finish func() int) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(i.public, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	body := fmt.Sprintf(`{"session_token":%q}`, who.session)
	_, _ = fmt.Fprintf(conn, "DELETE /self-service/logout/api HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body))
	answers := bufio.NewReader(conn)
	status := func() int {
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode
	}
	if got := status(); got != http.StatusContinue {
		t.Fatalf("answers %d, want 100", got)
	}
	return func() int {
		_, _ = io.WriteString(conn, body)
		return status()
	}
}

// TestStopWhileTargetHangs has a push provider that answers nothing, longer
// than a stop may take. What waits for it is told after a restart.
func TestStopWhileTargetHangs(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	i := newSetup(t, provider.settings(", timeout: 1m")).start(t)
	who := newLogin("ada", "hanging")
	i.mustRegister(who)
	mend := provider.hang(who.push)
	i.mustLogOut("sap_v1", who.session)
	eventually(t, "provider asked", func() bool { return provider.asked(who.push) })
	i.stop(mostDrain)
	mend()
	i.setup.start(t)
	eventually(t, "provider told after a restart", func() bool { return provider.times(who.push) > 0 })
}

// TestSecondSignalEndsAtOnce loses nothing either.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	i := newSetup(t, provider.settings(", timeout: 1m")).start(t)
	who := newLogin("ada", "hanging")
	i.mustRegister(who)
	mend := provider.hang(who.push)
	i.mustLogOut("sap_v1", who.session)
	eventually(t, "provider asked", func() bool { return provider.asked(who.push) })
	i.signal(syscall.SIGTERM)
	eventually(t, "draining", func() bool { return i.stderr.contains(`"draining"`) })
	i.signal(syscall.SIGTERM)
	if code, took := i.exit(patience); code == exitOK || took > time.Second {
		t.Errorf("exit code %d after %s, want an end by signal at once", code, took)
	}
	mend()
	i.setup.start(t)
	eventually(t, "provider told after a restart", func() bool { return provider.times(who.push) > 0 })
}

// TestStopWhileBackendsAreAway stops an instance whose Redis or NATS is dead,
// or hangs, with a logout in flight and one that the workers cannot finish.
func TestStopWhileBackendsAreAway(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		away   func(backends)
		status int
	}{
		"Redis dead":  {func(b backends) { b.redis.Stop() }, http.StatusNoContent},
		"Redis hangs": {func(b backends) { b.redis.Pause() }, http.StatusNoContent},
		"NATS dead":   {func(b backends) { b.nats.kill() }, http.StatusServiceUnavailable},
		"NATS hangs":  {func(b backends) { b.nats.signal(syscall.SIGSTOP) }, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shared := newBackends(t)
			i := shared.setup(t, "front,worker,admin", "").start(t)
			first, second := newLogin("ada", "first"), newLogin("bob", "second")
			i.mustRegister(first, second)
			finish := i.begin(t, second)
			tt.away(shared)
			i.logOut(dialectNamed("sap_v1"), first.session)
			if strings.HasPrefix(name, "Redis") {
				eventually(t, "paused", func() bool { return i.metric("logoutd_paused", `step="revoke"`) == 1 })
			}
			i.signal(syscall.SIGTERM)
			start := time.Now()
			if status := finish(); status != tt.status {
				t.Errorf("in flight: %d, want %d", status, tt.status)
			}
			code, _ := i.exit(patience)
			if took := time.Since(start); code != exitOK || took > mostDrain {
				t.Errorf("exit code %d after %s", code, took)
			}
			t.Logf("stopped after %s", time.Since(start).Round(time.Millisecond))
		})
	}
}

// TestDataDirectoryIsForOne process only, until that has ended.
func TestDataDirectoryIsForOne(t *testing.T) {
	t.Parallel()
	s := newSetup(t, "")
	first := s.start(t)
	expectRefusal(t, s, exitFailed, "another process uses ./logoutd-data", "LOGOUTD_DATA_DIR")
	first.kill()
	s.start(t).stop(mostDrain)
}
