package main

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what is reported into the golden files")

// someRun is a run of two slots.
func someRun(name string) namedRun {
	start := time.Now()
	r := newRecorder(start, 4*time.Second)
	r.slot = time.Second
	for i := range 2000 {
		at := time.Duration(i+1) * time.Millisecond
		r.good(204, start.Add(at), time.Duration(i%100+1)*time.Millisecond)
	}
	r.bad(503)
	out := r.result(204)
	out.Connections = 64
	return namedRun{name, out}
}

func someReport() report {
	fast, slow := quantity{Value: 40_000, Unit: perSecond}, quantity{Value: 12_345.6, Unit: perSecond}
	noted := atMost("memory", quantity{Value: 61.24, Unit: megabytes}, 60)
	noted.Note = "after a while"
	return report{
		Began: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), Seconds: 599, Quick: true,
		Machine: machine{Cores: 4, CPU: "Some CPU", Memory: 16, System: "linux 6.0 amd64", Go: "go1.26", Logoutd: "logoutd v1", Redis: "Redis 7", Fsync: 0.25},
		Rows: []row{
			ratioAtLeast("burst", slow, fast.of("bare"), 0.3),
			ratioAtMost("p99", inMillis(9*time.Millisecond), inMillis(4*time.Millisecond).of("bare"), 2),
			noted,
			{What: "no target", Figure: slow, Note: "for comparison"},
			missing(0, "soak", "it takes long"),
		},
		Runs: []summary{someRun("logoutd").summary()},
	}
}

func TestReportAsDocument(t *testing.T) {
	t.Parallel()
	golden, err := os.ReadFile("testdata/report.md")
	if err != nil && !*update {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "benchmarks.md")
	if err := someReport().writeMarkdown(path, pictureFile(path)); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/report.md", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(string(golden), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("-golden +written:\n%s", diff)
	}
}

func TestReportLeavesTheRestOfADocument(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "benchmarks.md")
	before, after := "# Mine\n\nIntroduction.\n\n", "\n## Scale on paper\n\nWritten by hand.\n"
	for _, old := range []string{beginMark + "old\n" + endMark, beginMark + endMark} {
		if err := os.WriteFile(path, []byte(before+old+after), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := someReport().writeMarkdown(path, "x.svg"); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := string(got)
		if !strings.HasPrefix(text, before+beginMark+"Measured") || !strings.HasSuffix(text, endMark+after) || strings.Contains(text, "old\n") {
			t.Errorf("document is\n%s", text)
		}
	}
	if err := os.WriteFile(path, []byte("no marks\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := someReport().writeMarkdown(path, "x.svg"); err == nil {
		t.Error("a document without marks is overwritten")
	}
}

func TestRowsAreJudged(t *testing.T) {
	t.Parallel()
	ten, five := quantity{Value: 10}, quantity{Value: 5}
	for name, c := range map[string]struct {
		row  row
		want string
	}{
		"at least, more":   {ratioAtLeast("", ten, five.of(""), 1.5), "reached"},
		"at least, just":   {ratioAtLeast("", ten, five.of(""), 2), "reached"},
		"at least, less":   {ratioAtLeast("", ten, five.of(""), 2.1), "missed"},
		"at most, less":    {ratioAtMost("", five, ten.of(""), 0.6), "reached"},
		"at most, more":    {ratioAtMost("", ten, five.of(""), 1.9), "missed"},
		"bound, just":      {atMost("", ten, 10), "reached"},
		"bound, more":      {atMost("", ten, 9.9), "missed"},
		"not measured":     {missing(0, "", "why"), "not measured"},
		"without a target": {row{Figure: ten}, ""},
	} {
		if got := c.row.verdict(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestNumbersAreReadable(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 0.256: "0.26", 2: "2", 9.5: "9.5", 61.24: "61.2", 123.4: "123", 12345.6: "12,346", 1e6: "1,000,000"} {
		if got := short(v); got != want {
			t.Errorf("%v is written %s, want %s", v, got, want)
		}
	}
}

func TestPictureIsXML(t *testing.T) {
	t.Parallel()
	for name, runs := range map[string][]namedRun{
		"none":               nil,
		"some":               {someRun("one"), someRun(`<two> & "three"`), someRun("logoutd")},
		"many":               {someRun("1"), someRun("2"), someRun("3"), someRun("4"), someRun("5"), someRun("6"), someRun("7")},
		"one without a slot": {{"short", &result{Latency: &histogram{}, Slot: time.Second}}},
	} {
		picture, err := draw(runs)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		lines, names := readPicture(t, picture)
		if lines != 2*len(runs) {
			t.Errorf("%s: %d lines, want two for each run", name, lines)
		}
		for _, run := range runs {
			if !strings.Contains(names, run.name) {
				t.Errorf("%s: the picture does not name %s", name, run.name)
			}
		}
		if strings.Contains(string(picture), "NaN") || strings.Contains(string(picture), "Inf") {
			t.Errorf("%s: coordinates are not numbers", name)
		}
	}
}

// readPicture counts the lines in a picture and returns its text.
func readPicture(t *testing.T, picture []byte) (lines int, text string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(string(picture)))
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return lines, text
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, picture)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if token.Name.Local == "polyline" {
				lines++
			}
		case xml.CharData:
			text += string(token)
		}
	}
}
