package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

type healthCmd struct {
	clientFlags
}

// Run prints what the server says of itself, and fails unless all is well.
func (c *healthCmd) Run(ctx context.Context, t *terminal) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var rows []row
	well := true
	for _, check := range []string{"healthz", "readyz"} {
		ok, says, err := c.check(ctx, check)
		if err != nil {
			return err
		}
		well = well && ok
		rows = append(rows, row{check, says})
	}
	if err := printTable(t.out, rows...); err != nil {
		return err
	}
	if !well {
		return &failure{error: fmt.Errorf("the server is not ready"), hint: "it recovers by itself once what it needs is back"}
	}
	return nil
}

// check needs no token.
func (c *healthCmd) check(ctx context.Context, name string) (ok bool, says string, err error) {
	request, err := c.request(ctx, "GET", "/"+name, nil)
	if err != nil {
		return false, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, "", c.unreachable(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if err != nil {
		return false, "", c.unreachable(err)
	}
	says = strings.TrimSpace(string(body))
	if says == "" {
		says = response.Status
	}
	return response.StatusCode == http.StatusOK, says, nil
}
