package jobs

import (
	"encoding/json"
	"errors"
	"strings"
)

// Criterion is one part of what a plan or a job was asked for, in words. Name
// is its name in the admin API; empty where the value is a remark.
type Criterion struct {
	Name, Label, Value string
}

// errNoWork says that this process does not know a kind of job.
var errNoWork = errors.New("this process knows no such kind of job")

// Selected says in words what a plan or a job of a kind was asked for, all of
// it. Every page, answer and table takes the words from here.
func (j *Jobs) Selected(kind string, query json.RawMessage, force bool) []Criterion {
	all, err := j.selected(kind, query)
	if err != nil {
		j.Logger.Error("selection of a job cannot be read", "kind", kind, "err", err)
		all = []Criterion{{Label: "Selection", Value: "not known: what is stored cannot be read"}}
	}
	if force {
		all = append(all, Criterion{Name: "force", Label: "Force", Value: "also dead letters over the replay limit"})
	}
	return all
}

func (j *Jobs) selected(kind string, query json.RawMessage) ([]Criterion, error) {
	work := j.Works[kind]
	if work == nil {
		return nil, errNoWork
	}
	var kept struct {
		TooLong int `json:"too_long"`
	}
	if json.Unmarshal(query, &kept) == nil && kept.TooLong > 0 {
		return []Criterion{{Label: "Selection", Value: "a list that is too long to be kept; the set itself is exact"}}, nil
	}
	return work.Selected(query)
}

// Words joins criteria in one line.
func Words(all []Criterion) string {
	words := make([]string, len(all))
	for i, c := range all {
		words[i] = c.Label + ": " + c.Value
	}
	return strings.Join(words, "; ")
}
