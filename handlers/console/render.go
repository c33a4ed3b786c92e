package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/broker"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/text"
)

//go:embed templates assets
var files embed.FS

// pages are the templates by name: each page with the frame around it and the
// parts that several share.
var pages = parsePages()

func parsePages() map[string]*template.Template {
	shared := template.Must(template.New("").Funcs(functions).ParseFS(files, "templates/shared/*.html"))
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	all := map[string]*template.Template{}
	for _, name := range names {
		page := template.Must(template.Must(shared.Clone()).ParseFS(files, name))
		all[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
	return all
}

// frame is what stands around every page.
type frame struct {
	Title    string
	Section  string
	Name     string
	Role     string
	Operator bool
	Notices  []notice
	Refresh  int
	Count    badge
	Progress deadletters.Progress
	Offline  bool // the broker cannot be reached
	Here     string
	Now      time.Time
	Data     any
}

func (c *console) show(w http.ResponseWriter, v *visit, shown view) {
	f := frame{
		Title: shown.title, Section: shown.section, Refresh: shown.refresh, Data: shown.data,
		Name: v.By(), Role: string(v.session.Caller.Role), Operator: v.Operator(), Notices: v.notices,
		Progress: c.Letters.Progress(), Offline: c.offline(), Here: v.URL.RequestURI(), Now: time.Now().UTC(),
	}
	f.Count = c.badge(v.Context())
	c.render(w, shown, f)
}

// badge is how many dead letters there are: in the navigation and on the first
// page the same number, from this process's own copy.
type badge struct {
	N     int
	Known bool
}

func (c *console) badge(ctx context.Context) badge {
	n, err := c.Letters.Count(ctx, deadletters.Filter{})
	if err != nil && ctx.Err() == nil {
		broker.LogFailure(ctx, c.Logger, c.JetStream, "dead letters cannot be counted", "err", err)
	}
	return badge{n, err == nil}
}

// render renders before it writes, so that a page is whole or not there.
func (c *console) render(w http.ResponseWriter, shown view, f frame) {
	var page bytes.Buffer
	if err := pages[shown.template].ExecuteTemplate(&page, "page", f); err != nil {
		c.Logger.Error("console page cannot be rendered", "page", shown.template, "err", err)
		http.Error(w, "this page cannot be rendered; the log of this process says why", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if shown.status != 0 {
		w.WriteHeader(shown.status)
	}
	_, _ = w.Write(text.HTML(page.Bytes())) // fails where the browser is gone
}

// fragment renders a part of a page, as a live page gets it.
func fragment(page, part string, data any) (string, error) {
	var b strings.Builder
	err := pages[page].ExecuteTemplate(&b, part, data)
	return string(text.HTML([]byte(b.String()))), err
}

// offline reports whether the broker cannot be reached.
func (c *console) offline() bool { return !c.JetStream.Conn().IsConnected() }

// refusal is a page that says one thing.
type refusal struct{ What, Do string }

// alone shows a page to somebody who is not logged in.
func (c *console) alone(w http.ResponseWriter, status int, name string, data any) {
	c.render(w, view{template: name, status: status}, frame{Data: data})
}

// stamp is in the address of an asset, so that a browser keeps it until it
// changes.
var stamp = stampOf("assets/console.css", "assets/console.js", "assets/icon.svg")

func stampOf(names ...string) string {
	hash := sha256.New()
	for _, name := range names {
		content, err := files.ReadFile(name)
		if err != nil {
			panic(err) // it is not embedded
		}
		hash.Write(content)
	}
	return hex.EncodeToString(hash.Sum(nil)[:6])
}

// asset serves the style sheet, the script and the icon; there is nothing
// secret in them.
func asset(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("v") == stamp {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeFileFS(w, r, files, "assets/"+r.PathValue("file"))
}
