package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
)

// benchFlags say what is run where.
type benchFlags struct {
	Logoutd string `help:"The logoutd to run. Default: the one beside this program, or on the PATH." placeholder:"FILE" type:"path"`
	DataDir string `help:"Where data is kept while this program runs: the disk that is measured. Default: where temporary files go." placeholder:"DIR" type:"existingdir"`
	JSON    string `name:"json" help:"Write everything that was measured as JSON; - for standard output, instead of the table." placeholder:"FILE"`
}

// systemFlags name the deployment to be loaded.
type systemFlags struct {
	PublicURL string `help:"Public listener of a deployment of yours. Default: a logoutd is started." placeholder:"URL"`
	AdminURL  string `help:"Its admin listener, where sessions are registered with the token in LOGOUTD_ADMIN_TOKEN." placeholder:"URL"`
	serverFlags
	PushRegistrations int `help:"Push registrations of each user, at a provider that answers at once. Of the dialects, only sap_v2 deletes them." placeholder:"N"`
}

// serverFlags say what a logoutd that is started runs on.
type serverFlags struct {
	NATS  string `name:"nats" help:"NATS for the logoutd that is started: a URL, or own to start one too. Default: embedded." placeholder:"URL"`
	Redis string `help:"Redis for the logoutd that is started: a URL, or own to start one too. Default: embedded SQLite." placeholder:"URL"`
}

// own starts a server.
const own = "own"

// Validate refuses half a deployment.
func (f *systemFlags) Validate() error {
	if (f.PublicURL == "") != (f.AdminURL == "") {
		return errors.New("give both --public-url and --admin-url, or neither")
	}
	if f.PublicURL != "" && (f.NATS != "" || f.Redis != "" || f.PushRegistrations != 0) {
		return errors.New("--nats, --redis and --push-registrations are for a logoutd that is started: leave out --public-url and --admin-url")
	}
	if f.PublicURL != "" && adminToken() == "" {
		return errors.New("set LOGOUTD_ADMIN_TOKEN to the admin token, which registering sessions takes")
	}
	return nil
}

// adminToken is that of a deployment. It has no flag, which ps would show.
func adminToken() string { return strings.TrimSpace(os.Getenv("LOGOUTD_ADMIN_TOKEN")) }

// opened is a system to be loaded.
type opened struct {
	*system
	pid  int // 0: of another machine, or not known
	stop func()
}

// open returns the deployment that the flags name, started if need be.
func (f *systemFlags) open(ctx context.Context, b *bench) (opened, error) {
	if f.PublicURL == "" {
		return f.start(ctx, b, f.PushRegistrations > 0)
	}
	b.foreign = true
	return opened{&system{public: f.PublicURL, admin: f.AdminURL, token: adminToken()}, 0, func() {}}, nil
}

// start starts a logoutd, the servers that it is to run on, and a push provider
// if it is to have one.
func (f *serverFlags) start(ctx context.Context, b *bench, push bool) (_ opened, err error) {
	var stops []func()
	stop := func() {
		for _, end := range slices.Backward(stops) {
			end()
		}
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	o := deployOptions{natsURL: f.NATS, redisURL: f.Redis}
	if f.NATS == own {
		var server *child
		if server, o.natsURL, err = b.nats(ctx); err != nil {
			return opened{}, err
		}
		stops = append(stops, server.stop)
	}
	if f.Redis == own {
		server, err := b.redis(ctx)
		if err != nil {
			return opened{}, err
		}
		o.redisURL = server.url
		stops = append(stops, server.stop)
	}
	if push {
		provider, url, err := startSelf(ctx, "bare")
		if err != nil {
			return opened{}, err
		}
		o.settings = pushSettings(url + "/{push_token}")
		stops = append(stops, provider.stop)
	}
	d, err := b.deploy(ctx, o)
	if err != nil {
		return opened{}, err
	}
	stops = append(stops, d.stop)
	return opened{&d.system, d.child.pid(), stop}, nil
}
