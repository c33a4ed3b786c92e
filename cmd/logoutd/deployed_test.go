package main

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// deployments is the folder of what is deployed, seen from here.
const deployments = "../../deployments"

// deployment returns a file of it.
func deployment(t testing.TB, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{deployments}, name...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// deployed is logoutd as deployments/compose.yaml runs it: a process for each
// role, on a NATS with deployments/nats/nats.conf and a Redis with
// deployments/redis/redis.conf.
type deployed struct {
	nats     *natsServer
	redis    *process
	redisDir string
	front    *instance
	worker   *instance
	admin    *instance
}

// passwordOf is the password of a user of NATS or Redis.
func passwordOf(user string) string { return "raw-password-of-" + user }

func deploy(t *testing.T, yaml string) *deployed {
	t.Helper()
	d := &deployed{nats: deployNATS(t)}
	redisAddress := d.startRedis(t)
	start := func(role string) *instance {
		s := newSetup(t, yaml)
		s.env = []string{
			"LOGOUTD_ROLES=" + role, "LOGOUTD_SECRET=" + someSecret, "LOGOUTD_LOG_FORMAT=json", "LOGOUTD_LOG_LEVEL=debug",
			"LOGOUTD_NATS_URL=nats://" + role + ":" + passwordOf(role) + "@" + d.nats.address(),
			"LOGOUTD_REDIS_URL=redis://:" + passwordOf("redis") + "@" + redisAddress + "/0",
		}
		if role == roleAdmin {
			s.env = append(s.env, "LOGOUTD_ADMIN_TOKEN="+scriptToken)
		}
		return s.start(t)
	}
	d.worker, d.admin = start(roleWorker), start(roleAdmin)
	d.front = start(roleFront) // ready once the others have set the streams up
	d.admin.token, d.admin.public = scriptToken, d.front.public
	return d
}

// startRedis starts a Redis with the configuration that is deployed.
func (d *deployed) startRedis(t *testing.T) (address string) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("redis-server is not installed")
		}
		t.Skip("redis-server is not installed")
	}
	d.redisDir = t.TempDir()
	config := filepath.Join(t.TempDir(), "redis.conf")
	text := strings.ReplaceAll(deployment(t, "redis", "redis.conf"), "/data", d.redisDir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(freePort(t))
	d.redis = launch(t, d.redisDir, nil, program, config, "--port", port, "--bind", "127.0.0.1", "--requirepass", passwordOf("redis"))
	address = net.JoinHostPort("127.0.0.1", port)
	d.redis.await("redis-server", func() bool { return d.redis.stdout.contains("Ready to accept connections") })
	return address
}

// TestDeployedRoles goes through a whole logout, with a dead letter and its
// replay: each role has the rights that it needs at the broker.
func TestDeployedRoles(t *testing.T) {
	t.Parallel()
	provider := newProvider(t)
	d := deploy(t, "retry: {give_up_after: 100ms, initial: 50ms}\n"+provider.settings(""))
	fine, broken := newLogin("ada", "fine"), newLogin("bob", "broken")
	d.admin.mustRegister(fine, broken)
	provider.fail(broken.push, http.StatusBadRequest)
	tail := d.admin.command("", "events", "--since", "1h")
	d.admin.mustLogOut("sap_v2", fine.session)
	d.admin.mustCLI("revoke", "--user-id", broken.user, "--yes")
	awaitTold(t, provider, []login{fine})
	eventually(t, "a dead letter", func() bool { return len(d.admin.letters()) == 1 })
	provider.fail(broken.push, 0)
	d.admin.mustCLI("failed", "show", d.admin.letters()[broken.user].ID)
	d.admin.mustCLI("failed", "replay", "--all", "--yes", "--reason", "mended")
	awaitTold(t, provider, []login{broken})
	for _, event := range []string{`"sap_v2"`, `"admin"`, `"logoutd.revocation.failed.v1"`} {
		eventually(t, "event "+event, func() bool { return tail.stdout.contains(event) })
	}
	if !d.admin.dead(fine) || !d.admin.dead(broken) || len(d.admin.letters()) != 0 {
		t.Error("not everything is done")
	}
	d.expectTrimmed(t)
	d.expectRights(t)
	d.expectNoCredentials(t, tail)
}

// expectTrimmed waits until what is done is gone from the private streams.
func (d *deployed) expectTrimmed(t *testing.T) {
	t.Helper()
	js := d.nats.jetStream(t, natsUser(roleAdmin)...)
	for _, name := range []string{"LOGOUT_REQUESTS", "LOGOUT_TASKS"} {
		eventually(t, name+" trimmed", func() bool {
			stream, err := js.Stream(t.Context(), name)
			return err == nil && stream.CachedInfo().State.Msgs == 0
		})
	}
}

// expectRights: no role was refused anything.
func (d *deployed) expectRights(t *testing.T) {
	t.Helper()
	for role, i := range map[string]*instance{roleFront: d.front, roleWorker: d.worker, roleAdmin: d.admin} {
		metrics := get(i.admin+"/metrics", "").body
		if n := metricIn(metrics, "logoutd_broker_errors_total"); n != 0 || !strings.Contains(metrics, "logoutd_broker_errors_total") {
			t.Errorf("%s: %v errors of the broker", role, n)
		}
		for line := range strings.Lines(i.stderr.String()) {
			if strings.Contains(line, "iolation") {
				t.Errorf("%s: %s", role, line)
			}
		}
	}
	if d.nats.stderr.contains("iolation") {
		t.Errorf("NATS reports violations:\n%s", d.nats.stderr.tail(20))
	}
}

// expectNoCredentials looks into what all processes have said, and into the
// files of NATS and Redis. Push tokens may lie in those.
func (d *deployed) expectNoCredentials(t *testing.T, tail *process) {
	t.Helper()
	w := &writings{said: map[string]string{"events": tail.stdout.String(), "NATS": d.nats.stderr.String()}}
	for role, i := range map[string]*instance{roleFront: d.front, roleWorker: d.worker, roleAdmin: d.admin} {
		w.said[role+" log"], w.said[role+" stdout"] = i.stderr.String(), i.stdout.String()
		w.said[role+" metrics"] = get(i.admin+"/metrics", "").body
	}
	w.expectNone(t, "raw-", someSecret)
	known := newLogin("ada", "fine").device
	expectNoneInFiles(t, d.nats.dir, known, someSecret)
	expectNoneInFiles(t, d.redisDir, known, someSecret)
}
