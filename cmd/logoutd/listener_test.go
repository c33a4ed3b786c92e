package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestIdleConnectionsStopNothing: with 400 descriptors, 500 idle connections on
// each listener hinder neither logouts nor health checks nor operators.
func TestIdleConnectionsStopNothing(t *testing.T) {
	t.Parallel()
	s := newSetup(t, "")
	s.descriptors = 400
	i := s.start(t)
	const idle = 500
	for n := range idle {
		for _, url := range []string{i.public, i.admin} {
			conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatalf("connection %d to %s: %v", n, url, err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			if n%2 == 0 { // the others send nothing at all
				_, _ = fmt.Fprint(conn, "POST /mobileservices/sessions/logout HTTP/1.1\r\nHost: a\r\n")
			}
		}
	}
	fresh := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	for n := range 20 {
		who := newLogin("ada", fmt.Sprint("idle-", n))
		i.mustRegister(who)
		request := dialectNamed("sap_v1").make(i.public, who.session)
		response, err := fresh.Do(request)
		if err != nil || response.StatusCode != http.StatusNoContent {
			t.Fatalf("logout %d: %v %v", n, response, err)
		}
		_ = response.Body.Close()
		if ready, says := i.ready("front"); !ready {
			t.Errorf("/readyz says %s", says)
		}
	}
	if closed := i.metric("logoutd_connections_closed_for_room_total", `listener="public"`); closed < idle/2 {
		t.Errorf("%v connections were closed for room", closed)
	}
	if open := i.metric("logoutd_connections"); open > 400 {
		t.Errorf("%v connections are open", open)
	}
	if log := i.stderr.String(); strings.Contains(log, "too many open files") {
		t.Error(log)
	}
}

func TestMaxConnections(t *testing.T) {
	t.Parallel()
	for descriptors, want := range map[int][2]int{0: {0, 0}, 64: {8, 8}, 256: {96, 32}, 400: {204, 68}, 1024: {576, 192}, 1 << 20: {589824, 196608}} {
		if public, admin := maxConnections(descriptors); public != want[0] || admin != want[1] {
			t.Errorf("of %d descriptors %d are for the public listener and %d for the admin one, want %v", descriptors, public, admin, want)
		}
	}
}

// issue writes a certificate for 127.0.0.1, which is its own authority, and its
// key, and returns their paths.
func issue(t *testing.T, dir, name string) (certificate, key string) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"logoutd.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, secret.Public(), secret)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	for path, block := range map[string]*pem.Block{certificate: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certificate, key
}

// TestServesTLS on both listeners, and demands a client certificate on one. The
// commands speak it too.
func TestServesTLS(t *testing.T) {
	t.Parallel()
	s := newSetup(t, "", "--roles", "front,worker,admin")
	certificate, key := issue(t, s.dir, "server")
	clientCertificate, clientKey := issue(t, s.dir, "client")
	s.env = []string{
		"LOGOUTD_TLS_CERT=" + certificate, "LOGOUTD_TLS_KEY=" + key,
		"LOGOUTD_ADMIN_TLS_CERT=" + certificate, "LOGOUTD_ADMIN_TLS_KEY=" + key, "LOGOUTD_ADMIN_TLS_CLIENT_CA=" + clientCertificate,
		"LOGOUTD_ADMIN_CA=" + certificate, "LOGOUTD_ADMIN_CERT=" + clientCertificate, "LOGOUTD_ADMIN_KEY=" + clientKey,
	}
	i := s.launch(t)
	i.awaitAddresses()
	i.await("ready", func() bool {
		_, _, code := i.cli("", "health")
		return code == exitOK
	})
	i.mustCLI("failed", "list", "--admin-server-name", "logoutd.test")
	if _, said, code := i.cli("", "health", "--admin-server-name", "other.test"); code != exitUnavailable || !strings.Contains(said, "LOGOUTD_ADMIN_SERVER_NAME") {
		t.Errorf("another name: exit code %d: %s", code, said)
	}

	authority, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	https := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	response, err := https.Do(dialectNamed("sap_v1").make(i.public, "tok"))
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusNoContent || response.ProtoMajor != 2 {
		t.Errorf("logout: %d by %s", response.StatusCode, response.Proto)
	}
	if _, err := https.Get(i.admin + "/healthz"); err == nil {
		t.Error("the admin listener demands no client certificate")
	}
	for _, env := range [][]string{{"LOGOUTD_ADMIN_CA=" + certificate}, nil} { // no certificate; no trust
		p := launch(t, s.dir, append(env, "LOGOUTD_ADMIN_URL="+i.admin), build(t, logoutdProgram), "health")
		code, _ := p.exit(patience)
		if said := p.stderr.String(); code != exitUnavailable || env == nil && !strings.Contains(said, "LOGOUTD_ADMIN_CA") {
			t.Errorf("with %v: exit code %d: %s", env, code, said)
		}
	}
	i.stop(mostDrain)
}
