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

// pages are the templates by name: each page with the shared frame and parts.
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

// frame is the data of a page with the frame around it.
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

// badge is the number of dead letters, from this process's own index. The
// navigation and the overview show the same number.
type badge struct {
	N     int
	Known bool
}

func (c *console) badge(ctx context.Context) badge {
	n, err := c.Letters.Count(ctx, deadletters.Filter{})
	if err != nil && ctx.Err() == nil {
		broker.LogFailure(ctx, c.Logger, c.JetStream, "counting dead letters failed", "err", err)
	}
	return badge{n, err == nil}
}

// render renders the whole page before it writes, so that a failure never leaves
// half a page.
func (c *console) render(w http.ResponseWriter, shown view, f frame) {
	var page bytes.Buffer
	if err := pages[shown.template].ExecuteTemplate(&page, "page", f); err != nil {
		c.Logger.Error("rendering a console page failed", "page", shown.template, "err", err)
		http.Error(w, "This page cannot be rendered; see the log of this process.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if shown.status != 0 {
		w.WriteHeader(shown.status)
	}
	_, _ = w.Write(text.HTML(page.Bytes())) // fails if the browser has disconnected
}

// fragment renders a part of a page for a live page.
func fragment(page, part string, data any) (string, error) {
	var b strings.Builder
	err := pages[page].ExecuteTemplate(&b, part, data)
	return string(text.HTML([]byte(b.String()))), err
}

// offline reports whether the broker cannot be reached.
func (c *console) offline() bool { return !c.JetStream.Conn().IsConnected() }

// refusal is a page with one message.
type refusal struct{ What, Do string }

// alone shows a page to a user who is not logged in.
func (c *console) alone(w http.ResponseWriter, status int, name string, data any) {
	c.render(w, view{template: name, status: status}, frame{Data: data})
}

// stamp is part of an asset's URL, so that a browser caches the asset until it
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

// asset serves the style sheet, the script and the icon. They need no login.
func asset(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("v") == stamp {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeFileFS(w, r, files, "assets/"+r.PathValue("file"))
}
