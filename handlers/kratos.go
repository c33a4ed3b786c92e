package handlers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	"github.com/logoutd/logoutd/store"
)

// maxBody is how long a body may be, in bytes.
const maxBody = 64 << 10

// kratos is the logout of Ory Kratos for native apps (v26.2.0), DELETE
// /self-service/logout/api.
type kratos struct{}

// read makes the checks of Kratos in its order: length, type, content.
func (kratos) read(w http.ResponseWriter, r *http.Request) (logout, *fault) {
	if r.ContentLength == 0 {
		return logout{}, malformed(`Unable to decode HTTP Request Body because its HTTP Header "Content-Length" is zero.`)
	}
	contentType := r.Header.Get("Content-Type")
	if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/json" {
		return logout{}, malformed(fmt.Sprintf(
			`HTTP DELETE Request used unknown HTTP Header "Content-Type: %s", only [application/json] are supported.`, contentType))
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return logout{}, &fault{http.StatusRequestEntityTooLarge, fmt.Sprintf("The body is larger than %d bytes.", maxBody)}
	}
	if err != nil {
		return logout{}, malformed("Unable to decode JSON payload: the body cannot be read")
	}
	token, err := decodeToken(body)
	if err != nil {
		return logout{}, malformed("Unable to decode JSON payload: " + err.Error())
	}
	var c candidates
	c.add(token)
	return logout{scope: store.ScopeSession, candidates: c.list}, nil
}

func malformed(reason string) *fault { return &fault{http.StatusBadRequest, reason} }

// decodeToken returns the session token of a body, or "" where there is none.
// encoding/json matches keys as Kratos does, whatever their case.
func decodeToken(body []byte) (string, error) {
	var payload struct {
		SessionToken onlyString `json:"session_token"`
	}
	err := json.Unmarshal(body, &payload)
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return "", fmt.Errorf("json: cannot unmarshal %s: not an object with the string session_token", mismatch.Value)
	}
	return payload.SessionToken.value, err
}

// onlyString is a JSON string or null, whose key may stand only once: a body
// that names two tokens leaves open which is meant.
type onlyString struct {
	value string
	seen  bool
}

var errTwice = errors.New("session_token stands there twice")

func (s *onlyString) UnmarshalJSON(b []byte) error {
	if s.seen {
		return errTwice
	}
	s.seen = true
	return json.Unmarshal(b, &s.value)
}

// answer is 403 where the token names no session.
func (k kratos) answer(w http.ResponseWriter, r *http.Request, o outcome) {
	if o != outcomeAccepted {
		k.fail(w, r, fault{
			http.StatusForbidden,
			"The provided Ory Session Token could not be found, is invalid, or otherwise malformed.",
		})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

var kratosMessages = map[int]string{
	http.StatusBadRequest:                  "The request was malformed or contained invalid parameters",
	http.StatusForbidden:                   "The requested action was forbidden",
	http.StatusMethodNotAllowed:            "The requested method is not supported",
	http.StatusRequestEntityTooLarge:       "The request was too large",
	http.StatusRequestHeaderFieldsTooLarge: "The request was too large",
	http.StatusServiceUnavailable:          "The service is unavailable at the moment",
}

// kratosError is Ory's errorGeneric, in the order of its keys.
type kratosError struct {
	Code    int    `json:"code"`
	Status  string `json:"status"`
	Request string `json:"request,omitempty"` // the caller's X-Request-ID
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func (kratos) fail(w http.ResponseWriter, r *http.Request, f fault) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(map[string]kratosError{"error": {
		Code: f.status, Status: http.StatusText(f.status), Request: r.Header.Get("X-Request-ID"),
		Reason: f.reason, Message: kratosMessages[f.status],
	}})
}
