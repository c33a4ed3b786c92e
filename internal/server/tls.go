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

// Check says what is wrong with the files; nothing is where none is named.
func (f TLSFiles) Check() error {
	switch {
	case f == TLSFiles{}:
		return nil
	case f.Certificate == "" || f.Key == "":
		return errors.New("a certificate and its key are needed, each in a file")
	}
	_, err := f.load()
	return err
}

// reloadEvery is how often a handshake looks whether the files have changed.
const reloadEvery = time.Second

// LoadTLS returns the configuration of a listener, and follows changes of the
// files. A change that cannot be loaded is logged and counted, and what was
// loaded before stays in use. Where no file is named it returns nil. A nil
// registerer: nowhere.
func LoadTLS(files TLSFiles, listener string, log *slog.Logger, r prometheus.Registerer) (*tls.Config, error) {
	if files == (TLSFiles{}) {
		return nil, nil
	}
	stamp := files.stamp()
	config, err := files.load()
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

func (f TLSFiles) load() (*tls.Config, error) {
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
	config, err := l.files.load()
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
