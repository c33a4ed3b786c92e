package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/logoutd/logoutd/internal/server"
	"github.com/logoutd/logoutd/internal/testkit"
)

// issue writes a certificate for 127.0.0.1 that is its own authority, and its
// key, and returns both.
func issue(t *testing.T, name string, files server.TLSFiles) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	write(t, files.Certificate, certificate)
	write(t, files.Key, text)
	pair, err := tls.X509KeyPair(certificate, text)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func filesIn(dir string) server.TLSFiles {
	return server.TLSFiles{Certificate: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
}

// serveTLS answers with the protocol, and whether the handler sees TLS.
func serveTLS(t *testing.T, files server.TLSFiles, log *slog.Logger, registry prometheus.Registerer) (addr string) {
	t.Helper()
	config, err := server.LoadTLS(files, "test", log, registry)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, server.New(server.Config{
		Name: "test", TLS: config, Registerer: registry,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if r.TLS == nil || !r.TLS.HandshakeComplete {
				w.WriteHeader(http.StatusTeapot)
			}
			_, _ = io.WriteString(w, r.Proto)
		}),
	}))
}

// dialTLS returns the connection and the name of the server's certificate.
func dialTLS(t *testing.T, addr string, config *tls.Config) (c client, name string, err error) {
	t.Helper()
	config.InsecureSkipVerify = true // the name says which one it is
	conn, err := tls.Dial("tcp", addr, config)
	if err != nil {
		return client{}, "", err
	}
	t.Cleanup(func() { _ = conn.Close() })
	return newClient(t, conn), conn.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

// TestTLS: HTTP/2 and HTTP/1.1, whose framing is checked, and nothing old.
func TestTLS(t *testing.T) {
	t.Parallel()
	files, registry := filesIn(t.TempDir()), prometheus.NewRegistry()
	issue(t, "one", files)
	addr := serveTLS(t, files, slog.New(slog.DiscardHandler), registry)

	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	for range 3 {
		response, err := (&http.Client{Transport: transport}).Post("https://"+addr, "text/plain", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK || string(body) != "HTTP/2.0" {
			t.Errorf("answer %d %q", response.StatusCode, body)
		}
	}
	c, _, err := dialTLS(t, addr, &tls.Config{NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	c.send(logout)
	if response, body := c.answer(http.MethodPost); response.StatusCode != http.StatusOK || body != "HTTP/1.1" {
		t.Errorf("answer %d %q", response.StatusCode, body)
	}
	c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
	c.expect(http.StatusBadRequest)
	c.expectEnd()

	if _, _, err := dialTLS(t, addr, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	plain := dial(t, addr)
	plain.send(logout)
	if text, _ := io.ReadAll(plain); !strings.Contains(string(text), "This port expects HTTPS.") {
		t.Errorf("to HTTP it says %q", text)
	}
	testkit.Eventually(t, "handshakes counted", func() bool {
		return testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP logoutd_tls_handshake_failures_total TLS handshakes that failed.
# TYPE logoutd_tls_handshake_failures_total counter
logoutd_tls_handshake_failures_total{listener="test"} 2
`), "logoutd_tls_handshake_failures_total") == nil
	})
}

// TestCertificateIsReloaded, unless it is none; connections stay.
func TestCertificateIsReloaded(t *testing.T) {
	t.Parallel()
	var logs testkit.Log
	files, registry := filesIn(t.TempDir()), prometheus.NewRegistry()
	issue(t, "one", files)
	addr := serveTLS(t, files, slog.New(slog.NewTextHandler(&logs, nil)), registry)
	name := func() string {
		_, name, err := dialTLS(t, addr, &tls.Config{})
		if err != nil {
			t.Error(err)
		}
		return name
	}
	open, _, err := dialTLS(t, addr, &tls.Config{})
	if err != nil || name() != "one" {
		t.Fatal(name(), err)
	}
	write(t, files.Certificate, []byte("half a certif"))
	reloaded := func(result string) func() bool {
		return func() bool {
			name()
			return strings.Contains(gather(t, registry), `logoutd_tls_reloads_total{listener="test",result="`+result+`"} 1`)
		}
	}
	testkit.Eventually(t, "refusal of what is no certificate", reloaded("failed"))
	if got := name(); got != "one" || strings.Count(logs.String(), "cannot be loaded") != 1 || strings.Contains(logs.String(), "half a") {
		t.Errorf("certificate %s; log: %s", got, logs.String())
	}
	issue(t, "two", files)
	testkit.Eventually(t, "the new certificate", func() bool { return name() == "two" })
	open.send(logout)
	open.expect(http.StatusOK)
}

// TestClientCertificateIsDemanded, of the authority that the file names now.
func TestClientCertificateIsDemanded(t *testing.T) {
	t.Parallel()
	files := filesIn(t.TempDir())
	issue(t, "server", files)
	friend, stranger := issue(t, "friend", filesIn(t.TempDir())), issue(t, "stranger", filesIn(t.TempDir()))
	files.ClientCA = filepath.Join(t.TempDir(), "ca.pem")
	authority := func(of tls.Certificate) {
		write(t, files.ClientCA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: of.Certificate[0]}))
	}
	authority(friend)
	addr := serveTLS(t, files, slog.New(slog.DiscardHandler), nil)
	sessions := tls.NewLRUClientSessionCache(10)
	answered := func(certificates ...tls.Certificate) bool {
		c, _, err := dialTLS(t, addr, &tls.Config{Certificates: certificates, ClientSessionCache: sessions, ServerName: "localhost"})
		if err != nil {
			return false
		}
		_, _ = io.WriteString(c.Conn, logout)
		response, err := http.ReadResponse(c.Reader, nil)
		return err == nil && response.StatusCode == http.StatusOK
	}
	if !answered(friend) || answered() || answered(stranger) {
		t.Error("a client without a certificate, or with a stranger's, is answered, or one with the right one is not")
	}
	authority(stranger)
	testkit.Eventually(t, "the new authority", func() bool { return answered(stranger) })
	if answered(friend) {
		t.Error("a client of the old authority is answered")
	}
}

// TestTLSFilesAreChecked: what is wrong is said by file, without what is in it.
func TestTLSFilesAreChecked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, other := filesIn(dir), filesIn(t.TempDir())
	issue(t, "one", good)
	issue(t, "two", other)
	empty := filepath.Join(dir, "empty.pem")
	write(t, empty, []byte("raw-secret"))
	for want, files := range map[string]server.TLSFiles{
		"":                                   {},
		"a certificate and its key":          {Certificate: good.Certificate},
		"each in a file":                     {ClientCA: good.Certificate},
		"no such file":                       {Certificate: good.Certificate, Key: filepath.Join(dir, "none")},
		"private key does not match":         {Certificate: good.Certificate, Key: other.Key},
		"empty.pem holds no certificate":     {Certificate: good.Certificate, Key: good.Key, ClientCA: empty},
		"failed to find any PEM data":        {Certificate: empty, Key: good.Key},
		"authority of client certificates: ": {Certificate: good.Certificate, Key: good.Key, ClientCA: filepath.Join(dir, "none")},
	} {
		err := files.Check()
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "raw-")) {
			t.Errorf("%+v: %v, want %q", files, err, want)
		}
	}
}
