package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/logoutd/logoutd/internal/messages"
)

// deployOptions say how a logoutd is run. The zero value: with everything
// embedded and all defaults.
type deployOptions struct {
	natsURL  string
	redisURL string
	settings string // YAML
}

// deployment is a logoutd that this program runs, on loopback addresses, with
// a data directory of its own. It can be stopped and started again.
type deployment struct {
	system
	program string
	dir     string
	env     []string
	args    []string
	process *process // nil while it is stopped
}

// newDeployment prepares a deployment in dir.
func newDeployment(program, dir string, o deployOptions) (*deployment, error) {
	d := &deployment{program: program, dir: dir, system: system{token: messages.NewID()}}
	d.env = []string{"LOGOUTD_ADMIN_TOKEN=" + d.token}
	d.args = []string{
		"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--nats-listen", "-",
		"--data-dir", filepath.Join(dir, "data"), "--log-format", "json", "--log-level", "warn",
	}
	if o.natsURL != "" {
		d.env = append(d.env, "LOGOUTD_NATS_URL="+o.natsURL)
	}
	if o.redisURL != "" {
		d.env = append(d.env, "LOGOUTD_REDIS_URL="+o.redisURL)
	}
	if o.settings != "" {
		file := filepath.Join(dir, "settings.yaml")
		if err := os.WriteFile(file, []byte(o.settings), 0o600); err != nil {
			return nil, fmt.Errorf("writing settings: %w", err)
		}
		d.args = append(d.args, "--config", file)
	}
	return d, nil
}

// What logoutd prints when it has started. The store comes last of what is
// waited for.
var (
	publicLine = regexp.MustCompile(`(?m)^  logouts: +(\S+)\n`)
	adminLine  = regexp.MustCompile(`(?m)^  admin: +(\S+)\n`)
)

// start starts the program and waits until it is ready.
func (d *deployment) start(ctx context.Context) error {
	p, err := startProcess("logoutd", d.env, d.program, d.args...)
	if err != nil {
		return err
	}
	d.process = p
	if d.public, err = p.await(ctx, publicLine); err != nil {
		return err
	}
	if d.admin, err = p.await(ctx, adminLine); err != nil {
		return err
	}
	err = eventually(ctx, startTimeout, func() (bool, error) { return d.ready(ctx), p.alive() })
	if err != nil {
		return fmt.Errorf("waiting for logoutd to be ready: %w", err)
	}
	return nil
}

// stop does nothing to a deployment that is stopped.
func (d *deployment) stop() {
	if d.process != nil {
		d.process.stop()
		d.process = nil
	}
}

// findLogoutd returns the program to run: as told, or beside this one, or on
// the PATH.
func findLogoutd(told string) (string, error) {
	if told != "" {
		return exec.LookPath(told)
	}
	if self, err := os.Executable(); err == nil {
		if beside, err := exec.LookPath(filepath.Join(filepath.Dir(self), "logoutd")); err == nil {
			return beside, nil
		}
	}
	path, err := exec.LookPath("logoutd")
	if err != nil {
		return "", fmt.Errorf("there is no logoutd beside this program or on the PATH: build one, or say --logoutd FILE")
	}
	return path, nil
}
