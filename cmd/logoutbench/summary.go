package main

import (
	"fmt"
	"strconv"
	"time"
)

// summary is a run as the JSON shows it.
type summary struct {
	Name        string            `json:"name"`
	Connections int               `json:"connections"`
	Rate        float64           `json:"rate,omitempty"` // due a second; absent in a closed loop
	Seconds     float64           `json:"seconds"`
	PerSecond   float64           `json:"per_second"` // good answers
	Answers     map[string]uint64 `json:"answers"`    // by status; "none": there was none
	Unsent      int               `json:"unsent,omitempty"`
	Drained     float64           `json:"drained_seconds,omitempty"` // from the end until all was revoked
	Latency     percentiles       `json:"latency_ms"`
	Timeline    []moment          `json:"timeline"`
}

// percentiles are in milliseconds.
type percentiles struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99.9"`
	Max  float64 `json:"max"`
}

// moment is what happened between it and the moment before.
type moment struct {
	Seconds   float64 `json:"seconds"` // its end
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
}

func (r namedRun) summary() summary {
	s := summary{
		Name: r.name, Connections: r.Connections, Rate: r.Rate, Seconds: r.Elapsed.Seconds(),
		PerSecond: r.throughput(), Answers: map[string]uint64{}, Unsent: r.Unsent,
		Latency: percentilesOf(r.Latency), Timeline: r.timeline(),
	}
	for status, n := range r.Statuses {
		name := strconv.Itoa(status)
		if status == 0 {
			name = "none"
		}
		s.Answers[name] = n
	}
	return s
}

func percentilesOf(h *histogram) percentiles {
	at := func(q float64) float64 { return milliseconds(h.quantile(q)) }
	return percentiles{P50: at(0.5), P90: at(0.9), P99: at(0.99), P999: at(0.999), Max: at(1)}
}

func (r *result) timeline() []moment {
	moments := make([]moment, len(r.Slots))
	for i, slot := range r.Slots {
		moments[i] = moment{
			Seconds:   (time.Duration(i+1) * r.Slot).Seconds(),
			PerSecond: float64(slot.count()) / r.Slot.Seconds(),
			P50:       milliseconds(slot.quantile(0.5)), P99: milliseconds(slot.quantile(0.99)),
		}
	}
	return moments
}

// cells are the summary as a table of names and values.
func (s summary) cells() [][]string {
	inMS := func(v float64) string { return quantity{Value: v, Unit: millis}.String() }
	loop := "closed loop"
	if s.Rate > 0 {
		loop = "open loop, " + quantity{Value: s.Rate, Unit: perSecond}.String()
	}
	rows := [][]string{
		{"load", fmt.Sprintf("%s, %d connections, %s s", loop, s.Connections, short(s.Seconds))},
		{"throughput", quantity{Value: s.PerSecond, Unit: perSecond}.String()},
		{"p50", inMS(s.Latency.P50)}, {"p90", inMS(s.Latency.P90)}, {"p99", inMS(s.Latency.P99)},
		{"p99.9", inMS(s.Latency.P999)}, {"max", inMS(s.Latency.Max)},
	}
	for _, status := range sortedKeys(s.Answers) {
		rows = append(rows, []string{"answers " + status, grouped(float64(s.Answers[status]))})
	}
	if s.Drained > 0 {
		rows = append(rows, []string{"all revoked after", quantity{Value: s.Drained, Unit: seconds}.String()})
	}
	if s.Unsent > 0 {
		rows = append(rows, []string{"due but not sent", grouped(float64(s.Unsent))})
	}
	return rows
}
