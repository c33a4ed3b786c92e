package admin

import (
	"encoding/json"
	"net/http"
	"net/url"
)

// query reads the query of a request as strictly as a body.
func query(r *http.Request) (*object, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, "the query cannot be read: it is name=value with & in between, percent-encoded")
	}
	o := &object{fields: map[string]json.RawMessage{}, text: true}
	for name, given := range values {
		if len(given) > 1 {
			return nil, invalid(shorten(name), "given twice")
		}
		quoted, err := json.Marshal(given[0])
		if err != nil {
			return nil, err
		}
		o.fields[name] = quoted
	}
	return o, nil
}

// count takes a whole number of lowest or more; 0 where it is not there.
func (o *object) count(name string, lowest int) int {
	var text string
	if o.text && json.Unmarshal(o.fields[name], &text) == nil {
		o.fields[name] = json.RawMessage(text)
	}
	n := 0
	if o.take(name, &n, "a whole number") && n < lowest {
		o.refuse(name, "must be %d or more", lowest)
	}
	return n
}

// How many things a page holds.
const (
	defaultPage = 100
	maxPage     = 1000
)

// limit takes how many things a page is to hold.
func (o *object) limit() int {
	if !o.has("limit") {
		return defaultPage
	}
	n := o.count("limit", 1)
	if n > maxPage {
		o.refuse("limit", "must be %d or less", maxPage)
	}
	return n
}

// within takes an object in a field; nil where it is not there. Its faults are
// told by adopt.
func (o *object) within(name string) *object {
	var raw json.RawMessage
	if !o.take(name, &raw, "an object") {
		return nil
	}
	inner, err := parseObject(raw)
	if err != nil {
		o.adopt(name, err)
		return nil
	}
	return inner
}

// adopt takes over the fault of an object in a field.
func (o *object) adopt(name string, err error) {
	if err == nil {
		return
	}
	p := problemOf(err)
	if p.Field != "" {
		name += "." + p.Field
	}
	o.refuse(name, "%s", p.Detail)
}
