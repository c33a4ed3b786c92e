package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/logoutd/logoutd/handlers"
	"github.com/logoutd/logoutd/internal/messages"
	"github.com/logoutd/logoutd/store"
)

// TestBrowser follows a link and an image of another site with a real browser:
// the session lives until the page's button is pressed, which also leads on to
// an allowed origin.
func TestBrowser(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(nil)
	t.Cleanup(other.Close)
	published := make(chan string, 10)
	logout := handlers.New(handlers.Config{
		Store: fencesAll(store.FenceFenced), FenceTimeout: longEnough,
		Publisher: publisherOf(published),
		Elvis:     handlers.Elvis{RedirectOrigins: []string{"http://bye.localhost:" + portOf(other.URL)}},
	})
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			http.SetCookie(w, &http.Cookie{Name: "authToken", Value: "tok-alice", Path: "/"})
			fmt.Fprint(w, "logged in")
			return
		}
		logout.ServeHTTP(w, r)
	}))
	t.Cleanup(own.Close)
	site := "http://dam.localhost:" + portOf(own.URL)
	bye := "http://bye.localhost:" + portOf(other.URL) + "/bye?a=1&b=%22"
	other.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		switch r.URL.Path {
		case "/bye":
			fmt.Fprint(w, "good bye "+r.URL.RawQuery)
		default:
			fmt.Fprintf(w, `<img src="%s/logout"><a href="%s/logout?logoutSuccessUrl=%s">go</a>`, site, site, url.QueryEscape(bye))
		}
	})
	ctx := browse(t)
	text := func(want string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatal(err)
		}
		for ctx.Err() == nil {
			got, _ := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
			if strings.Contains(got, want) {
				return
			}
		}
		t.Fatalf("the page does not say %q", want)
	}
	text("logged in", chromedp.Navigate(site+"/login"))
	text("go", chromedp.Navigate("http://evil.localhost:"+portOf(other.URL)+"/"))
	text("still logged in", chromedp.Click(`//a`))
	if len(published) > 0 {
		t.Fatal("another site has ended the session")
	}
	text("good bye a=1&b=%22", chromedp.Click(`//button`))
	if len(published) != 1 || <-published != store.TokenID("tok-alice") {
		t.Error("the button has not ended the session")
	}
}

func portOf(address string) string {
	u, _ := url.Parse(address)
	return u.Port()
}

func publisherOf(published chan<- string) publisherFunc {
	return func(_ context.Context, requests ...messages.Request) error {
		for _, r := range requests {
			published <- r.SessionID
		}
		return nil
	}
}

// browse starts a browser.
func browse(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" && os.Getenv("CI") != "" {
		t.Fatal("there is no browser: install chromium")
	}
	if path == "" {
		t.Skip("there is no browser: install chromium")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("disable-dev-shm-usage", true))
	timeout, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	allocator, stop := chromedp.NewExecAllocator(timeout, options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	return ctx
}
