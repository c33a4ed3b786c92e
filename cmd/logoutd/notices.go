package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/logoutd/logoutd/internal/damage"
	"github.com/logoutd/logoutd/internal/providers"
	"github.com/logoutd/logoutd/store"
)

// notices are what operators have to know of the parts that logoutd runs on:
// they work, and will lose or refuse something sooner or later.
type notices struct {
	mu       sync.Mutex
	warnings []store.Warning
	broker   *brokerConn
	damage   *damage.Watch // nil: not in the admin role
	// providers are what this process has met; another one may have met others.
	providers *providers.Providers
}

// list returns the notices in sentences.
func (n *notices) list() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []string
	for _, w := range n.warnings {
		all = append(all, w.Text)
	}
	for _, finding := range n.damage.Findings() {
		all = append(all, finding.Text+" An operator has to acknowledge it (logoutd damage).")
	}
	if near := n.broker.storageNear(); near != "" {
		all = append(all, "The embedded broker comes near the limit of its storage: "+near+".")
	}
	return all
}

// all returns list, and what concerns those who register more than logoutd.
func (n *notices) all() []string {
	all := n.list()
	if names := n.providers.Unconfigured(); len(names) > 0 {
		all = append(all, "Push registrations name providers that are not configured, and that are not told of logouts: "+strings.Join(names, ", ")+".")
	}
	return all
}

// err is list as an error; nil: there is nothing.
func (n *notices) err() error {
	if all := n.list(); len(all) > 0 {
		return errors.New(strings.Join(all, " "))
	}
	return nil
}

func (n *notices) set(warnings []store.Warning) (before []store.Warning) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before, n.warnings = n.warnings, warnings
	return before
}

const (
	// watchStoreEvery is how often the store's settings are looked at: they
	// change when somebody changes them.
	watchStoreEvery = 30 * time.Second
	// watchStoreFirst is how soon they are looked at again while the store has
	// not answered yet.
	watchStoreFirst = time.Second
)

// watchStore warns of settings of the store that make it forget.
func (s *service) watchStore(ctx context.Context, warner store.Warner) error {
	gauge := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "logoutd_store_warnings", Help: "1 for each setting of the store that makes it forget: evicts, not_persistent, snapshots_only.",
	}, []string{"warning"})
	s.metrics.MustRegister(gauge)
	next := watchStoreFirst
	for {
		asked, cancel := context.WithTimeout(ctx, 5*time.Second)
		warnings, err := warner.Warnings(asked)
		cancel()
		if err == nil {
			next = watchStoreEvery
			gauge.Reset()
			before := s.notices.set(warnings)
			for _, w := range warnings {
				gauge.WithLabelValues(w.Code).Set(1)
				if !slices.Contains(before, w) {
					s.logger.Warn("the store can forget", "warning", w.Code, "err", w.Text)
				}
			}
		}
		if !sleep(ctx, next) {
			return nil
		}
	}
}
