package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/logoutd/logoutd/internal/bulk"
	"github.com/logoutd/logoutd/internal/deadletters"
	"github.com/logoutd/logoutd/internal/jobs"
	"github.com/logoutd/logoutd/internal/replay"
	"github.com/logoutd/logoutd/store"
)

// readLetters reads the selection of dead letters for a job.
func (a *api) readLetters(kind string) func(*object) planner {
	return func(o *object) planner {
		query, force := o.letters(), o.force()
		return func(ctx context.Context, by string) (jobs.Plan, error) {
			return a.Replays.Plan(ctx, kind, by, query, force)
		}
	}
}

// letters takes {"ids":[…]} or {"filter":{…}}.
func (o *object) letters() replay.Query {
	if o.has("all") { // of an earlier version, which had no dry run
		delete(o.fields, "all")
		o.refuse("all", lettersWanted)
	}
	if o.has("ids") == o.has("filter") {
		o.refuse("ids", lettersWanted)
	}
	ids, filter := o.ids(), o.selected()
	if filter == nil && len(ids) == 0 {
		o.refuse("ids", lettersWanted)
	}
	return replay.Query{IDs: ids, Filter: filter}
}

func (o *object) selected() *deadletters.Filter {
	inner := o.within("filter")
	if inner == nil {
		return nil
	}
	filter := inner.filter()
	o.adopt("filter", inner.done())
	return &filter
}

// ids takes a list of ids without duplicates.
func (o *object) ids() []string {
	var given []json.RawMessage
	o.take("ids", &given, "a list of ids")
	if len(given) > maxNamed {
		o.refuse("ids", "must not have more than %d ids; use a filter", maxNamed)
		return nil
	}
	var ids []string
	seen := map[string]bool{}
	for _, raw := range given {
		var id string
		if string(raw) == "null" || json.Unmarshal(raw, &id) != nil || id == "" || len(id) > maxLetterID {
			o.refuse("ids", "must be a list of strings of 1 to %d bytes", maxLetterID)
			continue
		}
		if !seen[id] {
			ids, seen[id] = append(ids, id), true
		}
	}
	return ids
}

// force takes whether to include dead letters over the replay limit.
func (o *object) force() bool {
	var force bool
	o.take("force", &force, "true or false")
	return force
}

// readBulk reads the selection of a bulk revocation.
func (a *api) readBulk(o *object) planner {
	query := bulk.Query{
		AppID: o.optional("app_id", maxID), TenantID: o.optional("tenant_id", maxID),
		Users: o.users(), AuthenticatedBefore: o.past("authenticated_before"),
	}
	return func(ctx context.Context, by string) (jobs.Plan, error) { return a.Bulk.Plan(ctx, by, query) }
}

// past takes a time in the past; zero if it is missing. A later time would
// select everybody, which is certainly a mistake.
func (o *object) past(name string) time.Time {
	t := o.time(name)
	if t.After(time.Now()) {
		o.refuse(name, "must not be in the future")
	}
	return t
}

// users takes a list of users without duplicates.
func (o *object) users() []store.User {
	var given []json.RawMessage
	if o.take("users", &given, "a list of {\"user_id\",\"tenant_id\"}") && len(given) == 0 {
		o.refuse("users", "must not be empty; omit the field if it has no value")
	}
	if len(given) > maxNamed {
		o.refuse("users", "must not have more than %d users", maxNamed)
		return nil
	}
	var users []store.User
	seen := map[store.User]bool{}
	for i, raw := range given {
		at := fmt.Sprintf("users[%d]", i)
		inner, err := parseObject(raw)
		if err != nil {
			o.adopt(at, err)
			return nil
		}
		user := inner.user()
		o.adopt(at, inner.done())
		if !seen[user] {
			users, seen[user] = append(users, user), true
		}
	}
	return users
}
