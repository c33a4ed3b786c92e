package console_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/logoutd/logoutd/events"
	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/messages"
)

var (
	update = flag.Bool("update", false, "write the screenshots in docs anew")
	shown  = flag.Duration("shown", 2*time.Minute, "how long the charts in the screenshots go back")
)

// TestScreenshots writes the pictures of docs/operating.md.
func TestScreenshots(t *testing.T) {
	if !*update {
		t.Skip("-update writes them")
	}
	w := newWorld(t)
	w.work()
	w.ctx = t.Context() // this one takes as long as it is told to
	w.login("wallet", 1800)
	w.fail(37, causes...)
	stop := w.traffic()
	<-time.After(*shown)
	w.must(broker.PutPaused(t.Context(), w.broker.JS, broker.Paused{
		Step: "http", Target: "apns", Since: events.At(time.Now().Add(-7 * time.Minute)), Code: "timeout",
	}))
	b := w.browser(1280)
	b.login()
	b.sees("live")
	b.shoot("overview")
	b.dark(true)
	b.shoot("overview-dark")
	b.dark(false)
	b.open("/console/failed?step=http&target=fcm")
	b.shoot("failed")
	b.open("/console/failed/" + w.anyLetter())
	b.shoot("letter")
	b.open("/console/failed?step=http&target=fcm&code=http_503")
	b.click("Replay all")
	b.do(chromedp.WaitVisible(chromedp.CSS("#reason")), chromedp.SendKeys(chromedp.CSS("#reason"), "fcm is back, OPS-1723"))
	b.shoot("plan")
	b.do(chromedp.Click(chromedp.CSS(`input[name=rate][value="250"]`)), chromedp.Submit(chromedp.CSS("#reason")), chromedp.WaitVisible(chromedp.CSS("#job-progress")))
	w.eventually("half of it", func() bool {
		all, err := w.config.Jobs.List(t.Context(), 1)
		return err == nil && len(all) > 0 && all[0].Position > all[0].Total*6/10
	})
	b.shoot("job")
	stop()
	b.sees("done")
	b.do(chromedp.EmulateViewport(375, 812, chromedp.EmulateScale(2)))
	b.open("/console/")
	b.shoot("phone")
}

func (b *browser) dark(on bool) {
	b.Helper()
	scheme := map[bool]string{true: "dark", false: "light"}[on]
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	b.must(err)
}

// shoot writes what is in the window.
func (b *browser) shoot(name string) {
	b.Helper()
	b.do(chromedp.Sleep(500 * time.Millisecond)) // for what is drawn gradually
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	b.must(err)
	b.must(os.WriteFile(filepath.Join("..", "..", "docs", "console-"+name+".png"), picture, 0o644))
}

// traffic makes logouts that are done, until it is stopped.
func (w *world) traffic() (stop func()) {
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			case <-time.After(time.Duration(wave(i, 30, 12)+rand.Float64()*8) * time.Millisecond):
				w.accepted.Inc()
				w.must(w.revoked(i))
			}
		}
	}()
	return func() { close(done); <-stopped }
}

// wave goes up and down around a middle, as a day does.
func wave(i int, middle, height float64) float64 {
	return middle + height*math.Sin(float64(i)/700) + height/3*math.Sin(float64(i)/90)
}

// revoked publishes the event of a logout that is done.
func (w *world) revoked(i int) error {
	took := time.Duration(wave(i, 11, 4)+rand.Float64()*3) * time.Millisecond
	now := time.Now()
	msg, err := messages.RevokedMessage(events.Revoked{
		Scope: "session", RequestID: fmt.Sprintf("session-%d-%d", now.UnixNano(), i), Dialect: "sap_v1", Initiator: messages.InitiatorUser,
		TenantID: "acme", UserID: fmt.Sprintf("user-%d@example.com", i), SessionIDs: []string{fmt.Sprintf("%043d", i)}, RefreshTokens: 1,
		RevokedBefore: events.At(now), RequestedAt: events.At(now.Add(-took)), CompletedAt: events.At(now),
	}, "")
	if err != nil {
		return err
	}
	_, err = w.broker.JS.PublishMsg(w.Context(), msg)
	return err
}
