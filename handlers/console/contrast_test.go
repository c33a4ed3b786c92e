package console_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestContrast: text has 4.5 : 1 on each ground it stands on, and what one
// operates 3 : 1 (WCAG 2.2, 1.4.3 and 1.4.11), in both schemes.
func TestContrast(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("assets/console.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, _ := strings.Cut(string(css), "prefers-color-scheme: dark")
	dark, _, _ := strings.Cut(rest, "/* Ground */")
	for name, scheme := range map[string]map[string]float64{"light": luminances(light), "dark": luminances(dark)} {
		for _, pair := range strings.Fields(`
			text/ground text/surface text/sunken muted/ground muted/surface muted/sunken accent/ground accent/surface accent/accent-soft
			on-accent/accent bad/bad-soft bad/surface warn/warn-soft good/good-soft text/bad-soft text/warn-soft text/good-soft
			muted/good-soft muted/bad-soft muted/warn-soft surface/bad`) {
			if ratio := contrast(scheme, pair); ratio < 4.5 {
				t.Errorf("%s: %s has %.2f : 1", name, pair, ratio)
			}
		}
		for _, pair := range []string{"edge/surface", "edge/ground", "accent/surface", "bad/surface"} {
			if ratio := contrast(scheme, pair); ratio < 3 {
				t.Errorf("%s: %s has %.2f : 1", name, pair, ratio)
			}
		}
	}
}

var colour = regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`)

// luminances returns the relative luminance of each colour (WCAG 2.2).
func luminances(css string) map[string]float64 {
	all := map[string]float64{}
	for _, match := range colour.FindAllStringSubmatch(css, -1) {
		sum := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			n, _ := strconv.ParseUint(match[2][2*i:2*i+2], 16, 8) // the pattern is of digits
			c := float64(n) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		all[match[1]] = sum
	}
	return all
}

// contrast returns 0 for a colour that is not there.
func contrast(scheme map[string]float64, pair string) float64 {
	a, b, _ := strings.Cut(pair, "/")
	one, hasOne := scheme[a]
	other, hasOther := scheme[b]
	if !hasOne || !hasOther {
		return 0
	}
	return (max(one, other) + 0.05) / (min(one, other) + 0.05)
}
