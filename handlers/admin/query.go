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
		return nil, newProblem(http.StatusBadRequest, "invalid query: use name=value pairs joined by &, percent-encoded")
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

// count takes a whole number of at least lowest; 0 if it is missing.
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

// Number of items on a page.
const (
	defaultPage = 100
	maxPage     = 1000
)

// limit takes the number of items on a page.
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

// within takes an object in a field; nil if it is missing. adopt reports its
// faults.
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

// adopt reports a fault of the object in a field.
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
