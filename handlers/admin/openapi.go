package admin

import (
	_ "embed"
	"net/http"
)

// document describes the whole API (OpenAPI 3.1).
//
//go:embed openapi.json
var document []byte

// openAPI answers with the document, without authentication.
func openAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(document) // fails only if the caller has disconnected
}
