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

// notices are warnings for operators about the systems that logoutd depends on:
// they work now, but can lose or refuse data later.
type notices struct {
	mu       sync.Mutex
	warnings []store.Warning
	broker   *brokerConn
	damage   *damage.Watch // nil: not in the admin role
	// providers are those that this process has seen; others may have seen more.
	providers *providers.Providers
}

// list returns the notices as sentences.
func (n *notices) list() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []string
	for _, w := range n.warnings {
		all = append(all, w.Text)
	}
	for _, finding := range n.damage.Findings() {
		all = append(all, finding.Text+" An operator must acknowledge this (logoutd damage).")
	}
	if near := n.broker.storageNear(); near != "" {
		all = append(all, "The embedded broker is near its storage limit: "+near+".")
	}
	return all
}

// all returns list, and notices about the registrations rather than logoutd.
func (n *notices) all() []string {
	all := n.list()
	if names := n.providers.Unconfigured(); len(names) > 0 {
		all = append(all, "Push registrations name providers that are not configured and are therefore not told of logouts: "+strings.Join(names, ", ")+".")
	}
	return all
}

// err returns list as an error; nil if there are no notices.
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
	// watchStoreEvery is how often the store's settings are checked. They change
	// rarely.
	watchStoreEvery = 30 * time.Second
	// watchStoreFirst is how often they are checked until the store has answered.
	watchStoreFirst = time.Second
)

// watchStore warns about store settings that can lose data.
func (s *service) watchStore(ctx context.Context, warner store.Warner) error {
	gauge := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "logoutd_store_warnings", Help: "1 for each store setting that can lose data: evicts, not_persistent, snapshots_only.",
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
					s.logger.Warn("a setting of the store can lose data", "warning", w.Code, "err", w.Text)
				}
			}
		}
		if !sleep(ctx, next) {
			return nil
		}
	}
}
