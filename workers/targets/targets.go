package targets

import (
	"github.com/logoutd/logoutd/workers/delivery"
	"github.com/logoutd/logoutd/workers/targets/http"
	"github.com/logoutd/logoutd/workers/targets/webhook"
)

// Kinds are all kinds of target.
func Kinds() []delivery.Kind {
	return []delivery.Kind{http.Kind, webhook.Kind}
}
