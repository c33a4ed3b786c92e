package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestBrowserNightCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.work()
	w.fail(1, causes...)
	b := w.browser(1280)
	b.login()
	b.sees("68 revocations have failed")
	b.sees("live")
	b.click("http · fcm")
	b.sees("34 matching dead letters")
	b.do(chromedp.Click(chromedp.CSS("[data-all]")))
	b.sees("34 selected")
	b.click("Replay all 34")
	b.do(chromedp.WaitVisible(chromedp.CSS("#reason")))
	b.click("Replay 34 dead letters") // the browser asks for the reason
	b.do(chromedp.SendKeys(chromedp.CSS("#reason"), "fcm is back"), chromedp.Click(chromedp.CSS(`input[value="10"]`)))
	b.click("Replay 34 dead letters")
	b.sees("Cancel the rest")
	b.sees("34 of 34 · 100 %") // without a reload
	b.sees("finished")
	b.click("Audit log of this job")
	b.sees("Started a replay")
	b.sees("fcm is back")
}

func TestBrowserBulkRevocation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login("wallet", 9)
	file := filepath.Join(t.TempDir(), "users.txt")
	w.must(os.WriteFile(file, []byte("acme\tuser-3@example.com\nacme\tuser-4@example.com\n"), 0o600))
	b := w.browser(1280)
	b.login()
	b.click("Bulk revocation")
	b.do(chromedp.Click(chromedp.CSS(`input[value=users]`)), chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
	b.click("Dry run")
	b.sees("2 logouts")
	b.do(chromedp.SendKeys(chromedp.CSS("#reason"), "leaked"), chromedp.Click(chromedp.CSS("input[name=sure]")))
	b.click("Revoke 2 logouts")
	b.sees("2 of 2 · 100 %")
	if w.active("wallet", 3) || !w.active("wallet", 5) {
		t.Error("not exactly the users of the file are logged out")
	}
}

// TestBrowserKeyboard replays a group without a mouse.
func TestBrowserKeyboard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(1, causes[3])
	b := w.browser(1280)
	b.login()
	b.do(chromedp.KeyEvent(kb.Tab))
	if skip := b.focused(); skip != "Skip to the content" {
		t.Errorf("the first stop is %q", skip)
	}
	b.press("Failed 4")
	b.sees("4 dead letters")
	b.press("Replay all 4 …")
	b.sees("Dry run: replay")
	b.reach("Reason, recorded in the audit log")
	b.do(chromedp.KeyEvent("fixed"+kb.Tab), chromedp.KeyEvent(kb.ArrowDown)) // to the next rate
	b.press("Replay 4 dead letters")
	b.sees("4 of 4 · 100 %")
}

// press goes to a link or a button with the tabulator key and presses Enter.
func (b *browser) press(name string) {
	b.Helper()
	b.reach(name)
	b.do(chromedp.KeyEvent(kb.Enter))
}

func (b *browser) reach(name string) {
	b.Helper()
	for range 200 {
		if b.focused() == name {
			return
		}
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	b.Fatalf("the tabulator key never comes to %q", name)
}

// focused returns the name of what has the focus, which must be seen to have it.
func (b *browser) focused() string {
	return evaluate[string](b, `(() => {
		const e = document.activeElement;
		if (e === document.body || getComputedStyle(e).outlineStyle === "none") return "";
		return (e.getAttribute("aria-label") ?? e.labels?.[0]?.innerText ?? e.innerText).replace(/\s+/g, " ").trim();
	})()`)
}

// TestBrowserPhone: at 375 pixels no page is wider than the window, and what is
// wider scrolls within itself.
func TestBrowserPhone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.login("wallet", 1)
	w.fail(1, causes...)
	b := w.browser(375)
	b.login()
	for _, path := range []string{
		"", "failed", "failed?step=http&from=1h", "failed/" + w.anyLetter(), "jobs", "revoke", "audit", "events",
		"search", "search?user_id=user-0%40example.com&tenant_id=acme",
	} {
		b.open("/console/" + path)
		b.fits(375)
	}
	b.open("/console/failed?code=bad_value")
	b.click("Replay all")
	b.do(chromedp.WaitVisible(chromedp.CSS("#reason")))
	b.fits(375)
	b.do(chromedp.SendKeys(chromedp.CSS("#reason"), "on the way\r"))
	b.sees("4 of 4 · 100 %")
	b.fits(375)
}

func (b *browser) fits(width int) {
	b.Helper()
	if got := evaluate[int](b, `document.documentElement.scrollWidth`); got != width {
		b.Errorf("%s is %d pixels wide", evaluate[string](b, `location.href`), got)
	}
}

// TestBrowserWithoutScripts: the same way with scripts off.
func TestBrowserWithoutScripts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.work()
	w.fail(1, causes[3])
	b := w.browser(1280)
	_, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	w.must(err)
	b.login()
	b.click("http · http")
	b.do(chromedp.Click(chromedp.CSS("input[name=id]")))
	b.click("Replay selected")
	b.do(chromedp.SendKeys(chromedp.CSS("#reason"), "one of them"))
	b.click("Replay 1 dead letter")
	// The page loads itself again until the job is done: then it can be left.
	b.do(chromedp.WaitVisible(chromedp.CSS("#job-progress.part progress.good[value='1']")))
	b.click("All failed revocations")
	b.shows("#list-head", "3 dead letters")
}

// TestBrowserLinkFromElsewhere: the browser keeps the cookie to itself when
// somebody follows a link in a chat; the page asks once more by itself.
func TestBrowserLinkFromElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fail(1, causes[3])
	chat := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) {
		answer.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(answer, `<link rel="icon" href="data:,"><a href="%s/console/failed?step=http">look at this</a>`, w.server.URL)
	}))
	t.Cleanup(chat.Close)
	b := w.browser(1280)
	b.login()
	b.do(chromedp.Navigate(strings.Replace(chat.URL, "127.0.0.1", "localhost", 1)))
	b.click("look at this")
	b.sees("4 matching dead letters")
}

func TestBrowserDark(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser(1280)
	b.login()
	ground := func() string { return evaluate[string](b, `getComputedStyle(document.body).backgroundColor`) }
	light := ground()
	if b.dark(true); ground() == light {
		t.Errorf("the ground is %s in both schemes", light)
	}
}
