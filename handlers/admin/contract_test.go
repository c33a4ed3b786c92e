package admin_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const documentFile = "openapi.json"

// contract is what openapi.json promises. Whatever the tests receive is held
// against it.
type contract struct {
	document map[string]any

	mu       sync.Mutex // the compiler is for one at a time
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema // by pointer
}

var readContract = sync.OnceValues(func() (*contract, error) {
	raw, err := os.ReadFile(documentFile)
	if err != nil {
		return nil, err
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	c := &contract{document: document.(map[string]any), compiler: compiler, schemas: map[string]*jsonschema.Schema{}}
	return c, compiler.AddResource(documentFile, document)
})

func theContract(t testing.TB) *contract {
	t.Helper()
	c, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// operation is a call as the document has it.
type operation struct {
	method, path string
	fields       map[string]any
	pointer      string
}

func (o operation) pattern() string { return o.method + " " + o.path }

// role returns the one role that the document wants, "" for none.
func (o operation) role(c *contract) string {
	security, ok := o.fields["security"].([]any)
	if !ok {
		security = c.document["security"].([]any)
	}
	if len(security) == 0 {
		return ""
	}
	return security[0].(map[string]any)["token"].([]any)[0].(string)
}

func (c *contract) operations() []operation {
	var all []operation
	for path, item := range c.document["paths"].(map[string]any) {
		for method, fields := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			pointer := "#/paths/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(path) + "/" + method
			all = append(all, operation{strings.ToUpper(method), path, fields.(map[string]any), pointer})
		}
	}
	return all
}

// find returns the operation that a request is for: of two that fit the one
// with fewer placeholders.
func (c *contract) find(method, path string) (found operation, ok bool) {
	for _, o := range c.operations() {
		if o.method == method && fits(o.path, path) && (!ok || strings.Count(o.path, "{") < strings.Count(found.path, "{")) {
			found, ok = o, true
		}
	}
	return found, ok
}

func fits(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && (!strings.HasPrefix(want[i], "{") || got[i] == "") {
			return false
		}
	}
	return true
}

// deref follows a reference, and returns where it led to.
func (c *contract) deref(v any, pointer string) (map[string]any, string) {
	fields := v.(map[string]any)
	ref, ok := fields["$ref"].(string)
	if !ok {
		return fields, pointer
	}
	at := any(c.document)
	for _, name := range strings.Split(strings.TrimPrefix(ref, "#/"), "/") {
		at = at.(map[string]any)[name]
	}
	return c.deref(at, ref)
}

// schema compiles the schema at a pointer.
func (c *contract) schema(pointer string) (*jsonschema.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if schema := c.schemas[pointer]; schema != nil {
		return schema, nil
	}
	schema, err := c.compiler.Compile(documentFile + pointer)
	if err == nil {
		c.schemas[pointer] = schema
	}
	return schema, err
}

// valid holds JSON against the schema at a pointer.
func (c *contract) valid(pointer string, raw []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	schema, err := c.schema(pointer)
	if err != nil {
		return err
	}
	return schema.Validate(v)
}

// check holds an answer against the document, and a request that was good.
func (c *contract) check(r *http.Request, answer *http.Response, content []byte) error {
	o, ok := c.find(r.Method, r.URL.EscapedPath())
	switch {
	case r.Method == http.MethodHead:
		return nil
	case !ok:
		return c.valid("#/components/schemas/Problem", content)
	}
	if answer.StatusCode/100 == 2 {
		if err := c.checkRequest(o, r); err != nil {
			return fmt.Errorf("the request was taken, but: %w", err)
		}
	}
	return c.checkAnswer(o, answer, content)
}

func (c *contract) checkAnswer(o operation, answer *http.Response, content []byte) error {
	status := strconv.Itoa(answer.StatusCode)
	promised, ok := o.fields["responses"].(map[string]any)[status]
	if !ok {
		return fmt.Errorf("%s: answer %s is not in the document", o.pattern(), status)
	}
	response, pointer := c.deref(promised, o.pointer+"/responses/"+status)
	headers, _ := response["headers"].(map[string]any)
	for name := range headers {
		if answer.Header.Get(name) == "" {
			return fmt.Errorf("%s: answer %s has no %s", o.pattern(), status, name)
		}
	}
	if response["content"] == nil {
		if len(content) > 0 {
			return fmt.Errorf("%s: answer %s has content", o.pattern(), status)
		}
		return nil
	}
	mediaType := answer.Header.Get("Content-Type")
	if response["content"].(map[string]any)[mediaType] == nil {
		return fmt.Errorf("%s: answer %s has the type %q", o.pattern(), status, mediaType)
	}
	return c.valid(pointer+"/content/"+strings.ReplaceAll(mediaType, "/", "~1")+"/schema", content)
}

func (c *contract) checkRequest(o operation, r *http.Request) error {
	for name := range r.URL.Query() {
		if !c.takes(o, name) {
			return fmt.Errorf("%s: parameter %s is not in the document", o.pattern(), name)
		}
	}
	_, isJSON := at(o.fields, "requestBody", "content", "application/json").(map[string]any)
	if !isJSON || r.GetBody == nil {
		return nil
	}
	body, err := r.GetBody()
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	return c.valid(o.pointer+"/requestBody/content/application~1json/schema", raw)
}

// takes reports whether an operation has a parameter in its query.
func (c *contract) takes(o operation, name string) bool {
	parameters, _ := o.fields["parameters"].([]any)
	for _, p := range parameters {
		fields, _ := c.deref(p, "")
		if fields["name"] == name && fields["in"] == "query" {
			return true
		}
	}
	return false
}

// at returns what stands under names in names, nil if there is none.
func at(v any, names ...string) any {
	for _, name := range names {
		fields, _ := v.(map[string]any)
		v = fields[name]
	}
	return v
}
