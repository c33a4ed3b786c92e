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

// maxAnswer is how much of an answer is read that is decoded as a whole, in
// bytes: a dry run lists up to 100,000 users that were not found.
const maxAnswer = 64 << 20

// callTimeout is for calls that take a moment only.
const callTimeout = 30 * time.Second

// clientFlags say where the admin API is, and how to get in.
type clientFlags struct {
	AdminURL        string `env:"LOGOUTD_ADMIN_URL" default:"http://127.0.0.1:8081" help:"Where the server listens for administration."`
	AdminCA         string `name:"admin-ca" env:"LOGOUTD_ADMIN_CA" placeholder:"FILE" help:"Authority of the server's certificate (PEM). Default: those of the system."`
	AdminServerName string `name:"admin-server-name" env:"LOGOUTD_ADMIN_SERVER_NAME" placeholder:"NAME" help:"Name in the server's certificate. Default: the host of the URL."`
	AdminCert       string `name:"admin-cert" env:"LOGOUTD_ADMIN_CERT" placeholder:"FILE" help:"Client certificate (PEM), where the server demands one."`
	AdminKey        string `name:"admin-key" env:"LOGOUTD_ADMIN_KEY" placeholder:"FILE" help:"Key of the client certificate (PEM)."`
	DataDir         string `env:"LOGOUTD_DATA_DIR" default:"./logoutd-data" help:"Data directory of the server, for its admin.token, unless LOGOUTD_ADMIN_TOKEN or LOGOUTD_ADMIN_TOKEN_FILE is set."`
}

// adminClient is that of all calls, each of which its context bounds: an import
// and a tail of events may take any time.
var adminClient struct {
	made   sync.Once
	client *http.Client
	err    error
}

// do sends a request. A process has one set of flags, and so one client.
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
			err = errors.New(f.AdminCA + " holds no certificate in PEM")
		}
		if err != nil {
			return nil, usage("--admin-ca (LOGOUTD_ADMIN_CA) names the authority of the server's certificate", "authority: %w", err)
		}
	}
	if f.AdminCert != "" || f.AdminKey != "" {
		pair, err := tls.LoadX509KeyPair(f.AdminCert, f.AdminKey)
		if err != nil {
			return nil, usage("--admin-cert (LOGOUTD_ADMIN_CERT) and --admin-key (LOGOUTD_ADMIN_KEY) name a certificate and its key", "client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

func (f clientFlags) tokenFile() string { return filepath.Join(f.DataDir, adminTokenFile) }

// token returns the admin token, and where it was found.
func (f clientFlags) token() (token, from string, err error) {
	if token := os.Getenv(adminTokenSetting); token != "" {
		return checkedToken(token, sourceOf(adminTokenSetting))
	}
	raw, err := os.ReadFile(f.tokenFile())
	if err != nil {
		hint := "set LOGOUTD_ADMIN_TOKEN, or point --data-dir (LOGOUTD_DATA_DIR) to the data directory of the server"
		if errors.Is(err, fs.ErrPermission) {
			hint = "the file belongs to the user that the server runs as: run this as that user, or set LOGOUTD_ADMIN_TOKEN"
		}
		return "", "", &failure{error: fmt.Errorf("no admin token: %w", err), hint: hint}
	}
	return checkedToken(strings.TrimSpace(string(raw)), f.tokenFile())
}

// checkedToken refuses what no server can accept, and says where it is from. A
// short one may be of a server of an earlier version.
func checkedToken(token, from string) (string, string, error) {
	if token == "" || blankInside(token) {
		return "", "", &failure{error: fmt.Errorf("the admin token in %s %s", from, weakness(token)), hint: "put the token there, and nothing else", code: exitUsage}
	}
	return token, from, nil
}

// call sends in as JSON, if it is not nil, and decodes the answer into out, if
// that is not nil.
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

// ask is call for what takes a moment only.
func (f clientFlags) ask(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return f.call(ctx, method, path, in, out)
}

// send returns the body of a good answer, which the caller closes. Anything
// else is an error.
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
		return nil, usage("--admin-url (LOGOUTD_ADMIN_URL) looks like http://127.0.0.1:8081", "admin URL: %w", err)
	}
	return request, nil
}

func (f clientFlags) unreachable(err error) error {
	hint := "check --admin-url (LOGOUTD_ADMIN_URL): it is " + f.AdminURL
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		hint = "--admin-ca (LOGOUTD_ADMIN_CA) names the authority of the server's certificate, --admin-server-name (LOGOUTD_ADMIN_SERVER_NAME) the name in it"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		hint = fmt.Sprintf("is `logoutd serve` running, with LOGOUTD_ADMIN_LISTEN at %s? Otherwise say --admin-url", f.AdminURL)
	}
	return &failure{error: fmt.Errorf("asking the server: %w", err), hint: hint, code: exitUnavailable}
}
