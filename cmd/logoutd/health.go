package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

type healthCmd struct {
	clientFlags

	Role []string `help:"Check only these roles: front, worker, admin. Default: all roles of the process." placeholder:"ROLE"`
}

// Run prints the results of the health checks, and fails if a check failed.
func (c *healthCmd) Run(ctx context.Context, t *terminal) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var rows []row
	well := true
	for _, check := range []string{"healthz", "readyz"} {
		query := ""
		if check == "readyz" && len(c.Role) > 0 {
			query = "?" + url.Values{"role": c.Role}.Encode()
		}
		ok, says, err := c.check(ctx, check+query)
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
		return &failure{error: fmt.Errorf("the server is not ready"), hint: "it recovers by itself as soon as its dependencies are back"}
	}
	return nil
}

// check needs no token.
func (c *healthCmd) check(ctx context.Context, name string) (ok bool, says string, err error) {
	request, err := c.request(ctx, "GET", "/"+name, nil)
	if err != nil {
		return false, "", err
	}
	response, err := c.do(request)
	if err != nil {
		return false, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
	if err != nil {
		return false, "", c.unreachable(err)
	}
	return response.StatusCode == http.StatusOK, verdict(body, response.Status), nil
}

// verdict describes the answer of a check: its status, why it is not ready, and
// what is degraded. If the body is not such an answer, it returns the HTTP
// status.
func verdict(body []byte, status string) string {
	var answer struct {
		Status   string   `json:"status"`
		Reasons  []string `json:"reasons"`
		Degraded []string `json:"degraded"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Status == "" {
		return status
	}
	says := answer.Status
	if len(answer.Reasons) > 0 {
		says += ": " + strings.Join(answer.Reasons, "; ")
	}
	if len(answer.Degraded) > 0 {
		says += " (degraded: " + strings.Join(answer.Degraded, "; ") + ")"
	}
	return says
}
