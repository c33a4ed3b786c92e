package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// samples are metrics of logoutd, by name and labels as they stand in the
// Prometheus text format.
type samples map[string]float64

// metrics reads what the system measures.
func (s *system) metrics(ctx context.Context) (samples, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	body, err := s.call(ctx, "GET", "/metrics", nil)
	if err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	defer body.Close()
	return readSamples(body)
}

func readSamples(text io.Reader) (samples, error) {
	found := samples{}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		line := lines.Text()
		end := strings.LastIndexByte(line, ' ')
		if end < 0 || !strings.HasPrefix(line, "logoutd_") {
			continue
		}
		value, err := strconv.ParseFloat(line[end+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("reading metrics: %w", err)
		}
		found[line[:end]] = value
	}
	return found, lines.Err()
}

// sum adds the samples of a metric that have all labels, given as name="value";
// false: there is none.
func (s samples) sum(metric string, labels ...string) (sum float64, ok bool) {
	for series, value := range s {
		name, rest, _ := strings.Cut(series, "{")
		if name == metric && hasAll(rest, labels) {
			sum, ok = sum+value, true
		}
	}
	return sum, ok
}

func hasAll(series string, labels []string) bool {
	for _, label := range labels {
		if !strings.Contains(series, label) {
			return false
		}
	}
	return true
}
