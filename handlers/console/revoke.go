package console

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/logoutd/logoutd/internal/bulk"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/text"
	"github.com/logoutd/logoutd/store"
)

// revokePage is the form of a bulk revocation.
type revokePage struct {
	What, AppID, TenantID, Users, ListTenant, Before string
	Faults                                           map[string]string // by field
	Operator                                         bool
}

func (c *console) askRevoke(v *visit) (view, error) {
	asked := v.URL.Query()
	return revokeView(revokePage{
		What: asked.Get("what"), AppID: asked.Get("app_id"), TenantID: asked.Get("tenant_id"), Operator: v.Operator(),
	}, 0), nil
}

func revokeView(p revokePage, status int) view {
	return view{template: "revoke", title: "Bulk revocation", section: "revoke", status: status, data: p}
}

// planRevoke makes the dry run of a bulk revocation.
func (c *console) planRevoke(v *visit) (view, error) {
	p := revokePage{
		What: v.PostFormValue("what"), AppID: strings.TrimSpace(v.PostFormValue("app_id")),
		TenantID: strings.TrimSpace(v.PostFormValue("tenant_id")), Users: v.PostFormValue("users"), ListTenant: strings.TrimSpace(v.PostFormValue("list_tenant")),
		Before: strings.TrimSpace(v.PostFormValue("authenticated_before")), Faults: map[string]string{}, Operator: true,
	}
	q := p.read(v.Request, time.Now())
	if len(p.Faults) > 0 {
		return revokeView(p, http.StatusBadRequest), nil
	}
	ctx, cancel := v.within(planTimeout)
	defer cancel()
	plan, err := c.Bulk.Plan(ctx, v.By(), q)
	if errors.Is(err, bulk.ErrQuery) {
		p.Faults["what"] = "The selection is invalid: " + err.Error()
		return revokeView(p, http.StatusBadRequest), nil
	}
	if err != nil {
		return view{}, err
	}
	return view{template: "plan", title: "Dry run: bulk revocation", section: "revoke", data: c.newPlanPage(plan)}, nil
}

// read returns the query of the form, and fills Faults.
func (p *revokePage) read(r *http.Request, now time.Time) bulk.Query {
	var q bulk.Query
	if p.Before != "" {
		at, err := deadletters.ParseTime(p.Before, now)
		if q.AuthenticatedBefore = at; err != nil {
			p.Faults["authenticated_before"] = err.Error()
		}
	}
	switch p.What {
	case "app":
		if q.AppID = p.AppID; q.AppID == "" {
			p.Faults["app_id"] = "Enter the app id."
		}
	case "tenant":
		if q.TenantID = p.TenantID; q.TenantID == "" {
			p.Faults["tenant_id"] = "Enter the tenant id."
		}
	case "users":
		q.Users = p.readUsers(r)
	case "everybody":
		if p.Before == "" {
			p.Faults["authenticated_before"] = "Enter a time: everything authenticated at or before it is revoked."
		}
	default:
		p.Faults["what"] = "Choose who is logged out."
	}
	return q
}

func (p *revokePage) readUsers(r *http.Request) []store.User {
	sources := []io.Reader{strings.NewReader(p.Users + "\n")}
	if file, _, err := r.FormFile("file"); err == nil {
		defer func() { _ = file.Close() }()
		sources = append(sources, text.Reader(file))
	}
	users, line := parseUsers(io.MultiReader(sources...), p.ListTenant)
	switch {
	case line > 0:
		p.Faults["users"] = fmt.Sprintf("Line %d is invalid: write a user id, or a tenant id, a tab and a user id.", line)
	case len(users) == 0:
		p.Faults["users"] = "Enter users, or choose a file with one user per line."
	}
	return users
}

// parseUsers reads one user per line, as the command line does: a user id, or a
// tenant id, a tab and a user id, as editors and spreadsheets write them. wrong
// is the number of the first invalid line, or 0.
func parseUsers(r io.Reader, tenant string) (users []store.User, wrong int) {
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		fields, err := text.Fields(lines.Text())
		if err != nil || len(fields) > 2 || len(fields) == 2 && fields[1] == "" || !utf8.ValidString(lines.Text()) {
			return nil, n
		}
		user := store.User{TenantID: tenant, ID: fields[len(fields)-1]}
		if len(fields) == 2 {
			user.TenantID = fields[0]
		}
		if user.ID != "" {
			users = append(users, user)
		}
	}
	if lines.Err() != nil { // a line over 64 KiB
		return nil, len(users) + 1
	}
	return users, 0
}
