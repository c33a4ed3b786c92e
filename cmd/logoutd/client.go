package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/logoutd/logoutd/internal/httpclient"
)

// maxAnswer is the maximum size of an answer that is decoded as a whole, in
// bytes: a dry run lists up to 100,000 users that were not found.
const maxAnswer = 64 << 20

// callTimeout bounds short calls.
const callTimeout = 30 * time.Second

// clientFlags say where the admin API is and how to authenticate.
type clientFlags struct {
	AdminURL        string `env:"LOGOUTD_ADMIN_URL" default:"http://127.0.0.1:8081" help:"URL of the server's admin listener."`
	AdminCA         string `name:"admin-ca" env:"LOGOUTD_ADMIN_CA" placeholder:"FILE" help:"CA certificate that issued the server's certificate (PEM). Default: the CAs of the system."`
	AdminServerName string `name:"admin-server-name" env:"LOGOUTD_ADMIN_SERVER_NAME" placeholder:"NAME" help:"Name in the server's certificate. Default: the host in the URL."`
	AdminCert       string `name:"admin-cert" env:"LOGOUTD_ADMIN_CERT" placeholder:"FILE" help:"Client certificate (PEM), if the server requires one."`
	AdminKey        string `name:"admin-key" env:"LOGOUTD_ADMIN_KEY" placeholder:"FILE" help:"Private key of the client certificate (PEM)."`
	DataDir         string `env:"LOGOUTD_DATA_DIR" default:"./logoutd-data" help:"Data directory of the server. Its admin.token is read unless LOGOUTD_ADMIN_TOKEN or LOGOUTD_ADMIN_TOKEN_FILE is set."`
}

// adminClient is the HTTP client of all calls. The context of a call bounds it,
// not the client: an import or a stream of events can take any time.
var adminClient struct {
	made   sync.Once
	client *http.Client
	err    error
}

// do sends a request. A process has one set of flags, so one client is enough.
func (f clientFlags) do(request *http.Request) (*http.Response, error) {
	adminClient.made.Do(func() {
		config, err := f.tlsConfig()
		adminClient.client, adminClient.err = httpclient.New(httpclient.Config{TLS: config}), err
	})
	if adminClient.err != nil {
		return nil, adminClient.err
	}
	response, err := adminClient.client.Do(request)
	if err != nil {
		return nil, f.unreachable(err)
	}
	return response, nil
}

func (f clientFlags) tlsConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.AdminServerName}
	if f.AdminCA != "" {
		text, err := os.ReadFile(f.AdminCA)
		config.RootCAs = x509.NewCertPool()
		if err == nil && !config.RootCAs.AppendCertsFromPEM(text) {
			err = errors.New(f.AdminCA + " contains no PEM certificate")
		}
		if err != nil {
			return nil, usage("set --admin-ca (LOGOUTD_ADMIN_CA) to the CA certificate that issued the server's certificate", "reading the CA certificate: %w", err)
		}
	}
	if f.AdminCert != "" || f.AdminKey != "" {
		pair, err := tls.LoadX509KeyPair(f.AdminCert, f.AdminKey)
		if err != nil {
			return nil, usage("set --admin-cert (LOGOUTD_ADMIN_CERT) and --admin-key (LOGOUTD_ADMIN_KEY) to a certificate and its key", "reading the client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func (f clientFlags) tokenFile() string { return filepath.Join(f.DataDir, adminTokenFile) }

// token returns the admin token and its source.
func (f clientFlags) token() (token, from string, err error) {
	if token := os.Getenv(adminTokenSetting); token != "" {
		return checkedToken(token, sourceOf(adminTokenSetting))
	}
	raw, err := os.ReadFile(f.tokenFile())
	if err != nil {
		hint := "set LOGOUTD_ADMIN_TOKEN, or set --data-dir (LOGOUTD_DATA_DIR) to the data directory of the server"
		if errors.Is(err, fs.ErrPermission) {
			hint = "only the server's user can read the file: run the command as that user, or set LOGOUTD_ADMIN_TOKEN"
		}
		return "", "", &failure{error: fmt.Errorf("no admin token: %w", err), hint: hint}
	}
	return checkedToken(strings.TrimSpace(string(raw)), f.tokenFile())
}

// checkedToken refuses a token that no server accepts. A short token is allowed:
// it can belong to a server of an earlier version.
func checkedToken(token, from string) (string, string, error) {
	if token == "" || blankInside(token) {
		return "", "", &failure{error: fmt.Errorf("the admin token in %s %s", from, weakness(token)), hint: "it must contain the token and nothing else", code: exitUsage}
	}
	return token, from, nil
}

// call sends in as JSON and decodes the answer into out. Either can be nil.
func (f clientFlags) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encoding request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	answer, err := f.send(ctx, method, path, "application/json", body)
	if err != nil {
		return err
	}
	defer answer.Close()
	if out == nil {
		return nil
	}
	return decode(answer, out)
}

// decode reads one JSON value of at most maxAnswer bytes into out.
func decode(answer io.Reader, out any) error {
	if err := json.NewDecoder(io.LimitReader(answer, maxAnswer)).Decode(out); err != nil {
		return fmt.Errorf("reading answer: %w", err)
	}
	return nil
}

// ask is call with callTimeout.
func (f clientFlags) ask(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return f.call(ctx, method, path, in, out)
}

// send returns the body of a 2xx answer, which the caller closes. Any other
// answer is an error.
func (f clientFlags) send(ctx context.Context, method, path, contentType string, body io.Reader) (io.ReadCloser, error) {
	token, from, err := f.token()
	if err != nil {
		return nil, err
	}
	request, err := f.request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", contentType)
	response, err := f.do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode/100 == 2 {
		return response.Body, nil
	}
	defer response.Body.Close()
	return nil, refusal(response, from)
}

func (f clientFlags) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(f.AdminURL, "/")+path, body)
	if err != nil {
		return nil, usage("set --admin-url (LOGOUTD_ADMIN_URL) to a URL such as http://127.0.0.1:8081", "admin URL: %w", err)
	}
	return request, nil
}

func (f clientFlags) unreachable(err error) error {
	hint := "check --admin-url (LOGOUTD_ADMIN_URL), now " + f.AdminURL
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		hint = "set --admin-ca (LOGOUTD_ADMIN_CA) to the CA certificate that issued the server's certificate, and --admin-server-name (LOGOUTD_ADMIN_SERVER_NAME) to the name in it"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		hint = fmt.Sprintf("is `logoutd serve` running with its admin listener at %s? Otherwise set --admin-url", f.AdminURL)
	}
	return &failure{error: fmt.Errorf("calling the server: %w", err), hint: hint, code: exitUnavailable}
}
