package console

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/logoutd/logoutd/internal/deadletters"
)

// pageSize is the number of dead letters, audit entries or jobs on a page.
const pageSize = 50

// failedPage is the list of failed revocations.
type failedPage struct {
	filterForm
	Chips    []chip
	Groups   []deadletters.Group
	Page     deadletters.Page
	Hidden   url.Values // the filter with relative times resolved
	Here     string     // the URL of the filter, without a cursor
	NextPage string
	Later    bool // this is not the first page
	Unknown  bool // the list could not be read
	Progress deadletters.Progress
	Offline  bool // the broker cannot be reached
	Operator bool
	Now      time.Time
}

// Largest returns the size of the largest group.
func (p failedPage) Largest() int {
	if len(p.Groups) == 0 {
		return 0
	}
	return p.Groups[0].Count
}

func (c *console) failed(v *visit) (view, error) {
	asked, now := v.URL.Query(), time.Now().UTC()
	p := failedPage{filterForm: readFilter(asked, now), Progress: c.Letters.Progress(), Offline: c.offline(), Operator: v.Operator(), Now: now}
	shown := view{template: "failed", title: "Failed revocations", section: "failed"}
	if p.Bad {
		shown.status, shown.data = http.StatusBadRequest, p
		return shown, nil
	}
	p.Later, p.Hidden, p.Chips = asked.Get("after") != "", p.Filter.Values(), chips(p.Filter, "/console/failed")
	p.Here = "/console/failed?" + p.Hidden.Encode()
	c.fillFailed(v, &p, asked.Get("after"))
	if !p.Progress.Ready {
		shown.refresh = 5
	}
	shown.data = p
	return shown, nil
}

func (c *console) fillFailed(v *visit, p *failedPage, after string) {
	var err error
	if p.Groups, err = c.Letters.Groups(v.Context(), p.Filter); err != nil {
		v.missing(c, "The groups", err)
	}
	if p.Page, err = c.Letters.List(v.Context(), p.Filter, after, pageSize); err != nil {
		v.missing(c, "The list", err)
		p.Unknown = true
	}
	if p.Page.Next != "" {
		next := p.Filter.Values()
		next.Set("after", p.Page.Next)
		p.NextPage = "/console/failed?" + next.Encode()
	}
	c.suggest(v, p)
}

// suggest adds the existing steps, targets and codes as options.
func (c *console) suggest(v *visit, p *failedPage) {
	all, err := c.Letters.Groups(v.Context(), deadletters.Filter{})
	if err != nil {
		return // the list reports the error
	}
	for i, f := range p.Fields {
		for _, g := range all {
			if value := map[string]string{"step": g.Step, "target": g.Target, "code": g.Code}[f.Name]; value != "" && !slices.Contains(p.Fields[i].Options, value) {
				p.Fields[i].Options = append(p.Fields[i].Options, value)
			}
		}
	}
}
