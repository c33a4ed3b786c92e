package main

import (
	"context"
	"encoding/json"
	"net/url"
)

// tokensCmd groups the commands for admin tokens.
type tokensCmd struct {
	Create tokensCreateCmd `cmd:"" help:"Create a token and print it. It is shown only once."`
	List   tokensListCmd   `cmd:"" help:"List names and roles of tokens."`
	Revoke tokensRevokeCmd `cmd:"" help:"Revoke a token."`
}

type tokensCreateCmd struct {
	clientFlags `json:"-"`
	outputFlags `json:"-"`

	Name string `arg:"" json:"name" help:"Name of the person or program that uses the token, shown in the audit log."`
	Role string `json:"role" enum:"registry,viewer,operator" required:"" help:"Role: registry can register and introspect, viewer can read, operators can do everything."`
}

// Run creates the token.
func (c *tokensCreateCmd) Run(ctx context.Context, t *terminal) error {
	var answer struct {
		Name  string `json:"name"`
		Role  string `json:"role"`
		Token string `json:"token"`
	}
	if err := c.ask(ctx, "POST", "/v1/tokens", c, &answer); err != nil {
		return err
	}
	if c.json() {
		return printLine(t.out, answer)
	}
	return printTable(t.out, row{answer.Token})
}

type tokensListCmd struct {
	clientFlags
	outputFlags
}

// Run lists the tokens.
func (c *tokensListCmd) Run(ctx context.Context, t *terminal) error {
	var answer struct {
		Tokens []json.RawMessage `json:"tokens"`
	}
	if err := c.ask(ctx, "GET", "/v1/tokens", nil, &answer); err != nil {
		return err
	}
	return printEach(t.out, c.outputFlags, answer.Tokens, func(token struct {
		Name, Role string
		CreatedAt  string `json:"created_at"`
		CreatedBy  string `json:"created_by"`
	}) row {
		return row{token.Name, token.Role, token.CreatedAt, token.CreatedBy}
	}, "NAME", "ROLE", "CREATED AT", "BY")
}

type tokensRevokeCmd struct {
	clientFlags

	Name string `arg:"" help:"Name of the token."`
	Yes  bool   `short:"y" help:"Do not ask for confirmation."`
}

// Run revokes the token.
func (c *tokensRevokeCmd) Run(ctx context.Context, t *terminal) error {
	if !c.Yes {
		if err := t.confirm("Revoke the token " + c.Name + "? Its holder loses access at once."); err != nil {
			return err
		}
	}
	return c.ask(ctx, "DELETE", "/v1/tokens/"+url.PathEscape(c.Name), nil, nil)
}
