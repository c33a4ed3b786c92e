package server

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// TLSFiles names the files that a listener's TLS is made of, in PEM.
type TLSFiles struct {
	Certificate string // with the intermediate ones
	Key         string
	// ClientCA has the certificates of the authorities whose client
	// certificates are demanded. Empty: none are.
	ClientCA string
}

// reloadEvery is how often a handshake looks whether the files have changed.
const reloadEvery = time.Second

// LoadTLS returns the configuration that the files are now, and goes on using
// what they become. Files that cannot be loaded later change nothing, are
// logged once, and counted. A nil registerer: nowhere.
func LoadTLS(files TLSFiles, listener string, log *slog.Logger, r prometheus.Registerer) (*tls.Config, error) {
	stamp := files.stamp()
	config, err := files.Load()
	if err != nil {
		return nil, err
	}
	reloads := promauto.With(r).NewCounterVec(prometheus.CounterOpts{
		Name: "logoutd_tls_reloads_total", Help: "Changed TLS files, by whether they could be loaded.",
		ConstLabels: prometheus.Labels{"listener": listener},
	}, []string{"result"})
	for _, result := range []string{"loaded", "failed"} {
		reloads.WithLabelValues(result)
	}
	l := &reloader{files: files, listener: listener, log: log, reloads: reloads, config: config, stamp: stamp}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: l.current}, nil
}

// Load reads the files.
func (f TLSFiles) Load() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(f.Certificate, f.Key)
	if err != nil {
		return nil, fmt.Errorf("loading the certificate and its key: %w", err)
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{pair},
	}
	if f.ClientCA == "" {
		return config, nil
	}
	text, err := os.ReadFile(f.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("loading the authority of client certificates: %w", err)
	}
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	// A resumed session would not be checked against an authority that has
	// changed since.
	config.SessionTicketsDisabled = true
	if !config.ClientCAs.AppendCertsFromPEM(text) {
		return nil, errors.New("loading the authority of client certificates: " + f.ClientCA + " holds no certificate in PEM")
	}
	return config, nil
}

// stamp tells versions of the files apart.
func (f TLSFiles) stamp() (stamp string) {
	for _, name := range []string{f.Certificate, f.Key, f.ClientCA} {
		if info, err := os.Stat(name); err == nil {
			stamp += fmt.Sprint(info.ModTime().UnixNano(), " ", info.Size(), "\n")
		} else {
			stamp += "\n"
		}
	}
	return stamp
}

type reloader struct {
	files    TLSFiles
	listener string
	log      *slog.Logger
	reloads  *prometheus.CounterVec

	mu     sync.Mutex
	looked time.Time
	stamp  string // of the files that were tried last
	config *tls.Config
}

// current returns the configuration for a handshake.
func (l *reloader) current(*tls.ClientHelloInfo) (*tls.Config, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.looked) < reloadEvery {
		return l.config, nil
	}
	l.looked = time.Now()
	stamp := l.files.stamp()
	if stamp == l.stamp {
		return l.config, nil
	}
	l.stamp = stamp
	config, err := l.files.Load()
	if err != nil {
		l.reloads.WithLabelValues("failed").Inc()
		l.log.Error("changed TLS files cannot be loaded; the certificate loaded before stays in use", "listener", l.listener, "err", err)
		return l.config, nil
	}
	l.config = config
	l.reloads.WithLabelValues("loaded").Inc()
	l.log.Info("TLS files reloaded", "listener", l.listener)
	return config, nil
}
