package admin_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/logoutd/logoutd/handlers/admin"
	"github.com/logoutd/logoutd/internal/access"
)

// The document has the routes that there are, with the roles that they want.
func TestDocumentHasAllRoutes(t *testing.T) {
	t.Parallel()
	w, c := newWorld(t), theContract(t)
	documented := map[string]access.Role{}
	for _, o := range c.operations() {
		documented[o.pattern()] = access.Role(o.role(c))
	}
	if diff := cmp.Diff(admin.Routes(w.server.Config.Handler), documented); diff != "" {
		t.Errorf("routes and document differ: %s", diff)
	}
}

// Every schema can be used, also those that no test has an answer for, and
// every reference leads somewhere.
func TestDocumentSchemas(t *testing.T) {
	t.Parallel()
	c := theContract(t)
	pointers := schemasIn("#", c.document)
	for _, pointer := range pointers {
		if _, err := c.schema(pointer); err != nil {
			t.Error(err)
		}
	}
	for name := range at(c.document, "components", "schemas").(map[string]any) {
		if !slices.Contains(pointers, "#/components/schemas/"+name) {
			t.Errorf("schema %s is not among those that were tried", name)
		}
	}
}

// schemasIn returns pointers to all that stands under "schema", and to the
// named schemas.
func schemasIn(pointer string, v any) (found []string) {
	fields, _ := v.(map[string]any)
	for name, below := range fields {
		at := pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		if name == "schema" || pointer == "#/components/schemas" {
			found = append(found, at)
		} else {
			found = append(found, schemasIn(at, below)...)
		}
	}
	return found
}

// The document is served to anybody, as it is.
func TestDocumentIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *admin.Config) { c.Ready = func() error { return io.EOF } })
	r := w.request("GET", "/v1/openapi.json", nil)
	r.Header.Del("Authorization")
	if a := w.do(r); a.status != http.StatusOK || a.text("openapi") == "" {
		t.Fatalf("%d %v", a.status, a.body)
	}
	file, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal([]byte(w.answers.String()), file) {
		t.Error("another document is served")
	}
}
