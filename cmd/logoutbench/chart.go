package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"math"
	"strings"
	"text/template"
)

//go:embed chart.svg.tmpl
var chartText string

var chartTemplate = template.Must(template.New("chart").Parse(chartText))

// chart is the picture of some runs: throughput over time above, latency by
// percentile below.
type chart struct {
	Width, Height int
	Panels        []panel
	Names         []legend
}

// panel is one coordinate system; all coordinates are those of the picture.
type panel struct {
	Title                    string
	Left, Right, Top, Bottom float64
	Across, Up               []mark
	Lines                    []line
}

// mark is a label of an axis.
type mark struct {
	At   float64
	Text string
}

type line struct {
	Class  string
	Points string
}

type legend struct {
	Class, Name string
	X, Y        float64
}

// Geometry of the picture.
const (
	chartWidth  = 860
	panelLeft   = 70
	panelRight  = 840
	panelHeight = 220
	panelGap    = 70
	firstTop    = 84
	styles      = 6 // classes run0 to run5
)

// draw returns the picture of runs as SVG.
func draw(runs []namedRun) ([]byte, error) {
	second := firstTop + panelHeight + panelGap
	c := chart{
		Width: chartWidth, Height: second + panelHeight + 50,
		Panels: []panel{throughputPanel(runs, firstTop), latencyPanel(runs, float64(second))},
	}
	for i, run := range runs {
		c.Names = append(c.Names, legend{Class: class(i), Name: template.HTMLEscapeString(run.name), X: panelLeft + float64(i%3)*260, Y: 22 + float64(i/3)*18})
	}
	var out bytes.Buffer
	if err := chartTemplate.Execute(&out, c); err != nil {
		return nil, fmt.Errorf("drawing: %w", err)
	}
	return out.Bytes(), nil
}

func class(run int) string { return fmt.Sprintf("run%d", run%styles) }

func newPanel(title string, top float64) panel {
	return panel{Title: title, Left: panelLeft, Right: panelRight, Top: top, Bottom: top + panelHeight}
}

// x and y place a share (0 to 1) of an axis.
func (p panel) x(share float64) float64 { return p.Left + share*(p.Right-p.Left) }
func (p panel) y(share float64) float64 { return p.Bottom - share*(p.Bottom-p.Top) }

// plot adds a line through points, given as shares of the axes.
func (p *panel) plot(run int, points [][2]float64) {
	var text strings.Builder
	for _, point := range points {
		fmt.Fprintf(&text, "%.1f,%.1f ", p.x(point[0]), p.y(point[1]))
	}
	p.Lines = append(p.Lines, line{class(run), strings.TrimSpace(text.String())})
}

func throughputPanel(runs []namedRun, top float64) panel {
	p := newPanel("answers per second, over the time in seconds", top)
	longest, most := 1.0, 1.0
	for _, run := range runs {
		for _, m := range run.timeline() {
			longest, most = max(longest, m.Seconds), max(most, m.PerSecond)
		}
	}
	step := roundStep(most / 4)
	most = step * math.Ceil(most/step)
	for v := 0.0; v <= most; v += step {
		p.Up = append(p.Up, mark{p.y(v / most), grouped(v)})
	}
	for v, every := 0.0, roundStep(longest/8); v <= longest; v += every {
		p.Across = append(p.Across, mark{p.x(v / longest), short(v)})
	}
	for i, run := range runs {
		var points [][2]float64
		for _, m := range run.timeline() {
			points = append(points, [2]float64{(m.Seconds - run.Slot.Seconds()/2) / longest, m.PerSecond / most})
		}
		p.plot(i, points)
	}
	return p
}

// roundStep returns 1, 2 or 5 times a power of ten, at least v.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, factor := range []float64{1, 2, 5} {
		if factor*power >= v {
			return factor * power
		}
	}
	return 10 * power
}

// nines is how far the percentiles go: 99.99.
const nines = 4

// latencyPanel has percentiles by their nines across, and a logarithmic scale
// of latency up.
func latencyPanel(runs []namedRun, top float64) panel {
	p := newPanel("latency in ms, by percentile", top)
	low, high := math.Inf(1), math.Inf(-1)
	for _, run := range runs {
		low = min(low, math.Log10(latencyAt(run, 0)))
		high = max(high, math.Log10(latencyAt(run, nines)))
	}
	if low > high {
		low, high = -1, 2
	}
	low, high = math.Floor(low), max(math.Ceil(high), math.Floor(low)+1)
	for power := low; power <= high; power++ {
		p.Up = append(p.Up, mark{p.y((power - low) / (high - low)), fmt.Sprintf("%g", math.Pow(10, power))})
	}
	for _, percentile := range []float64{0, 50, 90, 99, 99.9, 99.99} {
		p.Across = append(p.Across, mark{p.x(-math.Log10(1-percentile/100) / nines), trimmed(percentile)})
	}
	for i, run := range runs {
		var points [][2]float64
		for nine := 0.0; nine <= nines; nine += 0.1 {
			points = append(points, [2]float64{nine / nines, (math.Log10(latencyAt(run, nine)) - low) / (high - low)})
		}
		p.plot(i, points)
	}
	return p
}

// latencyAt returns the latency in milliseconds of the percentile with a
// number of nines: 2 is 99 %. It is never 0, which a logarithmic scale does
// not have.
func latencyAt(run namedRun, nines float64) float64 {
	return max(milliseconds(run.Latency.quantile(1-math.Pow(10, -nines))), 0.001)
}
