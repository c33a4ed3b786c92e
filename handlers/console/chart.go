package console

import (
	"fmt"
	"strings"
	"time"

	"github.com/logoutd/logoutd/internal/overview"
)

// A chart is drawn in its own units and stretched to the size of its tile.
const (
	chartWidth  = 240
	chartHeight = 48
	// chartShortest is the shortest time span of a chart, chartStep the shortest
	// time between two of its points.
	chartShortest = time.Minute
	chartStep     = 2 * time.Second
	chartPoints   = 120
)

// chart is a line chart over the overview's history, as SVG paths.
type chart struct {
	ID          string
	Mood        string // a class of the style sheet
	Title       string
	Description string // text alternative
	Line, Area  string
	Width       int
	Height      int
	Peak        string
	Span        string
}

// newChart draws the values of the samples; value returns false for unknown ones.
func newChart(title, unit, mood string, history []overview.Sample, now time.Time, value func(overview.Sample) (float64, bool)) chart {
	span := chartShortest
	if len(history) > 0 {
		span = min(max(now.Sub(history[0].At), span), overview.Kept)
	}
	points, known := bucket(history, now, span, value)
	peak, sum, n := 0.0, 0.0, 0
	for i, y := range points {
		if known[i] {
			peak, sum, n = max(peak, y), sum+y, n+1
		}
	}
	ch := chart{
		ID: strings.ReplaceAll(strings.ToLower(title), " ", "-"), Mood: mood, Title: title, Span: long(span),
		Width: chartWidth, Height: chartHeight, Description: "No data yet.",
	}
	if n == 0 {
		return ch
	}
	ch.Line, ch.Area = paths(points, known, peak)
	ch.Peak = perSecond(peak)
	ch.Description = strings.TrimSpace(fmt.Sprintf("In the last %s: on average %s, at most %s %s", ch.Span, perSecond(sum/float64(n)), perSecond(peak), unit)) + "."
	return ch
}

// bucket averages the samples of the last span into points of equal width.
func bucket(history []overview.Sample, now time.Time, span time.Duration, value func(overview.Sample) (float64, bool)) (points []float64, known []bool) {
	width := max(span/chartPoints, chartStep)
	size := int(span / width)
	points, known = make([]float64, size), make([]bool, size)
	n := make([]float64, size)
	first := now.Truncate(width).Add(-time.Duration(size-1) * width)
	for _, sample := range history {
		i := int(sample.At.Sub(first) / width)
		y, ok := value(sample)
		if sample.At.Before(first) || i >= size || !ok {
			continue
		}
		points[i], n[i] = points[i]+y, n[i]+1
	}
	for i := range points {
		if n[i] > 0 {
			points[i], known[i] = points[i]/n[i], true
		}
	}
	return points, known
}

// paths draws each stretch of known points as a line, and the area below it.
func paths(points []float64, known []bool, peak float64) (line, area string) {
	var l, a strings.Builder
	for i := 0; i < len(points); i++ {
		if !known[i] {
			continue
		}
		from := i
		var stretch strings.Builder
		for ; i < len(points) && known[i]; i++ {
			fmt.Fprintf(&stretch, "L%.1f %.1f", x(i, len(points)), y(points[i], peak))
		}
		path := strings.TrimPrefix(stretch.String(), "L")
		fmt.Fprintf(&l, "M%s", path)
		fmt.Fprintf(&a, "M%.1f %dL%sL%.1f %dZ", x(from, len(points)), chartHeight, path, x(i-1, len(points)), chartHeight)
	}
	return l.String(), a.String()
}

func x(i, n int) float64 { return float64(i) * chartWidth / float64(n-1) }

// y leaves a line's width of room above the peak.
func y(value, peak float64) float64 {
	if peak == 0 {
		return chartHeight - 1
	}
	return chartHeight - 1 - value/peak*(chartHeight-3)
}
