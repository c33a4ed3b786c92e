package admin

import (
	"net/http"

	"github.com/logoutd/logoutd/internal/access"
	"github.com/logoutd/logoutd/internal/audit"
	"github.com/logoutd/logoutd/internal/bulk"
	"github.com/logoutd/logoutd/internal/replay"
)

// route is a call and the role that it requires.
type route struct {
	pattern string
	role    access.Role
	handler http.HandlerFunc
}

// anybody is the role of a call that requires no token.
const anybody access.Role = ""

// routes returns all calls; openapi.json describes each of them.
func (a *api) routes() []route {
	return []route{
		{"PUT /v1/sessions", access.Registry, put(a, a.sessions())},
		{"PUT /v1/refresh-tokens", access.Registry, put(a, a.refreshTokens())},
		{"PUT /v1/push-registrations", access.Registry, put(a, a.pushRegistrations())},
		{"POST /v1/import", access.Registry, a.postImport},
		{"POST /v1/introspect", access.Registry, a.introspect},

		{"POST /v1/revocations", access.Operator, a.handle(a.revoke)},
		{"GET /v1/revocations/{id}", access.Viewer, a.handle(a.showRevocation)},
		{"GET /v1/search", access.Viewer, a.handle(a.search)},
		{"POST /v1/revocations/bulk", access.Operator, a.run(bulk.Kind, audit.ActionRevokeStart, a.readBulk)},

		{"GET /v1/failed", access.Viewer, a.handle(a.listFailed)},
		{"GET /v1/failed/groups", access.Viewer, a.handle(a.groupFailed)},
		{"GET /v1/failed/{id}", access.Viewer, a.handle(a.showFailed)},
		{"POST /v1/failed/replays", access.Operator, a.run(replay.KindReplay, audit.ActionReplayStart, a.readLetters(replay.KindReplay))},
		{"POST /v1/failed/discards", access.Operator, a.run(replay.KindDiscard, audit.ActionDiscardStart, a.readLetters(replay.KindDiscard))},

		{"GET /v1/jobs", access.Viewer, a.handle(a.listJobs)},
		{"GET /v1/jobs/{id}", access.Viewer, a.handle(a.showJob)},
		{"POST /v1/jobs/{id}/pause", access.Operator, a.handle(a.changeJob(audit.ActionJobPause, a.Jobs.Pause))},
		{"POST /v1/jobs/{id}/resume", access.Operator, a.handle(a.changeJob(audit.ActionJobResume, a.Jobs.Resume))},
		{"POST /v1/jobs/{id}/cancel", access.Operator, a.handle(a.changeJob(audit.ActionJobCancel, a.Jobs.Cancel))},

		{"GET /v1/overview", access.Viewer, a.handle(a.overview)},
		{"GET /v1/targets", access.Viewer, a.handle(a.listTargets)},
		{"POST /v1/targets/{kind}/{name}/enable", access.Operator, a.handle(a.enableTarget)},
		{"POST /v1/targets/{kind}/{name}/discard", access.Operator, a.handle(a.discardDeliveries)},
		{"POST /v1/targets/{kind}/{name}/move", access.Operator, a.handle(a.moveDeliveries)},
		{"GET /v1/events", access.Viewer, a.tail},
		{"GET /v1/audit", access.Viewer, a.handle(a.listAudit)},
		{"GET /v1/profile", access.Viewer, a.profile},

		{"GET /v1/tokens", access.Operator, a.handle(a.listTokens)},
		{"POST /v1/tokens", access.Operator, a.handle(a.createToken)},
		{"DELETE /v1/tokens/{name}", access.Operator, a.handle(a.revokeToken)},
		{"GET /v1/console-sessions", access.Viewer, a.handle(a.listConsoleSessions)},
		{"DELETE /v1/console-sessions/{id}", access.Viewer, a.handle(a.endConsoleSession)},

		{"GET /v1/damage", access.Viewer, a.handle(a.listDamage)},
		{"POST /v1/damage/acknowledge", access.Operator, a.handle(a.acknowledgeDamage)},
		{"GET /v1/subscribers", access.Viewer, a.handle(a.listSubscribers)},
		{"POST /v1/subscribers", access.Operator, a.handle(a.createSubscriber)},
		{"DELETE /v1/subscribers/{name}", access.Operator, a.handle(a.revokeSubscriber)},

		{"GET /v1/openapi.json", anybody, openAPI},
	}
}

// call implements a call. It returns the status and the answer to encode as JSON
// (nil: no body), or an error.
type call func(w http.ResponseWriter, r *http.Request) (status int, v any, err error)

// handle returns the handler of a call.
func (a *api) handle(c call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status, v, err := c(w, r)
		switch {
		case err != nil:
			a.fail(w, r, err)
		case v == nil:
			w.WriteHeader(status)
		default:
			answer(w, status, v)
		}
	}
}
