package console_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a real browser on a console.
type browser struct {
	*world
	ctx context.Context

	mu       sync.Mutex
	troubles []string // errors of scripts, and what the policy has refused
}

// chromium is where the browser is: Debian's, or another of the family.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") != "" {
		t.Fatal("there is no browser: install chromium")
	}
	t.Skip("there is no browser: install chromium")
	return ""
}

// browser starts one, of its own user, with a window of the given width.
func (w *world) browser(width int64) *browser {
	w.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(chromium(w.T)), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("lang", "en"), chromedp.Flag("hide-scrollbars", true))
	allocator, stop := chromedp.NewExecAllocator(w.Context(), options...)
	w.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	w.Cleanup(cancel)
	b := &browser{world: w, ctx: ctx}
	w.must(chromedp.Listen(ctx, b.listen)) // starts it
	b.do(chromedp.EmulateViewport(width, 900))
	w.Cleanup(func() {
		if len(b.troubles) > 0 {
			w.Errorf("the browser complains: %s", strings.Join(b.troubles, "; "))
		}
	})
	return b
}

// listen keeps what the browser's own log holds of errors.
func (b *browser) listen(event any) {
	trouble := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		trouble = e.ExceptionDetails.Text
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Source == cdplog.EntrySourceSecurity {
			trouble = fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			trouble = fmt.Sprintf("console: %v", e.Args)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if trouble != "" {
		b.troubles = append(b.troubles, trouble)
	}
}

const (
	// patience is how long the browser has for one step.
	patience = 30 * time.Second
	// glance is how long it has for an answer that is asked for again: one
	// about a page that is just being left may never come.
	glance = 5 * time.Second
)

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.Fatalf("%v\non the page: %s\nlog:\n%s", err, b.text(), b.log)
	}
}

// open goes to a page.
func (b *browser) open(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.server.URL + path))
}

// login logs in with the root token, by hand.
func (b *browser) login() {
	b.Helper()
	b.open("/console/")
	b.do(chromedp.SendKeys(chromedp.CSS("#token"), rootToken+"\r"), chromedp.WaitVisible(chromedp.CSS("nav")))
}

// click clicks what has a text that begins so.
func (b *browser) click(text string) {
	b.Helper()
	b.do(chromedp.Click(fmt.Sprintf(`//*[(self::a or self::button or self::summary) and starts-with(normalize-space(.), %q)]`, text)))
}

// sees waits for a text on the page.
func (b *browser) sees(text string) {
	b.Helper()
	b.eventually(fmt.Sprintf("the page says %q", text), func() bool { return strings.Contains(b.text(), text) })
}

// shows waits until an element has a text, which it asks for without a script.
func (b *browser) shows(selector, text string) {
	b.Helper()
	b.eventually(fmt.Sprintf("%s says %q", selector, text), func() bool {
		return ask(b, glance, chromedp.Text(chromedp.CSS(selector))) == text
	})
}

func (b *browser) text() string {
	return ask(b, glance, chromedp.Evaluate[string](`document.body ? document.body.innerText : ""`))
}

// evaluate asks the page for the value of an expression.
func evaluate[T any](b *browser, expression string) T {
	return ask(b, patience, chromedp.Evaluate[T](expression))
}

// ask asks the page; while it loads the answer is the zero value.
func ask[T any](b *browser, within time.Duration, question chromedp.Action[T]) T {
	ctx, cancel := context.WithTimeout(b.ctx, within)
	defer cancel()
	value, _ := chromedp.Run(ctx, question)
	return value
}
