package main

import (
	"context"
	"path/filepath"
	"slices"
	"time"
)

// suiteCmd measures everything that there are targets for.
type suiteCmd struct {
	benchFlags

	Quick    bool     `help:"Small and short, in about a minute, to see that everything works. The figures mean little."`
	Only     []string `enum:"burst,push,external,registered" default:"burst,push,external,registered" help:"Parts to measure: burst, push, external (NATS and Redis), registered (start, backlog, sustained rate)."`
	Markdown string   `help:"Write the report as a document, with a picture beside it. In a document that is there, only what stands between the marks is replaced." placeholder:"FILE" type:"path"`
}

// Run measures and reports. A target that is missed is no failure.
func (c *suiteCmd) Run(ctx context.Context, p *progress) error {
	b, err := newBench(c.Logoutd, c.DataDir, p)
	if err != nil {
		return err
	}
	defer b.close()
	program, err := findLogoutd(c.Logoutd)
	if err != nil {
		return err
	}
	rep := report{Began: time.Now().UTC().Truncate(time.Second), Quick: c.Quick}
	if rep.Machine, err = describeMachine(ctx, program, b.dir); err != nil {
		return err
	}
	s := &suite{bench: b, sizes: fullSizes}
	if c.Quick {
		s.sizes = quickSizes
	}
	if err := s.run(ctx, c.Only); err != nil {
		return err
	}
	rep.Rows = s.rows
	rep.Seconds = time.Since(rep.Began).Round(time.Second).Seconds()
	for _, run := range s.runs {
		rep.Runs = append(rep.Runs, run.summary())
	}
	p.step("done")
	return c.write(rep, s.runs)
}

func (c *suiteCmd) write(rep report, runs []namedRun) error {
	if err := tell(c.JSON, rep.cells(), rep); err != nil {
		return err
	}
	if c.Markdown == "" {
		return nil
	}
	picture, err := draw(bursts(runs))
	if err != nil {
		return err
	}
	file := pictureFile(c.Markdown)
	if err := writeFile(filepath.Join(filepath.Dir(c.Markdown), file), picture); err != nil {
		return err
	}
	return rep.writeMarkdown(c.Markdown, file)
}

// bursts returns the runs in a closed loop. Beside the long run at a constant
// rate they would be a few pixels wide.
func bursts(runs []namedRun) []namedRun {
	return slices.DeleteFunc(slices.Clone(runs), func(r namedRun) bool { return r.Rate > 0 })
}
