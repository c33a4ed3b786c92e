package main

import (
	"context"
	"encoding/json"
	"net/url"
)

// tokensCmd groups what is done with admin tokens.
type tokensCmd struct {
	Create tokensCreateCmd `cmd:"" help:"Create a token and print it, this once."`
	List   tokensListCmd   `cmd:"" help:"List tokens, without themselves."`
	Revoke tokensRevokeCmd `cmd:"" help:"Revoke a token."`
}

type tokensCreateCmd struct {
	clientFlags `json:"-"`
	outputFlags `json:"-"`

	Name string `arg:"" json:"name" help:"Who or what it is for: it stands in the audit log."`
	Role string `json:"role" enum:"registry,viewer,operator" required:"" help:"What it may do: registry registers and introspects, viewer looks, operator may everything."`
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

	Name string `arg:"" help:"The token, by its name."`
	Yes  bool   `short:"y" help:"Do not ask."`
}

// Run revokes the token.
func (c *tokensRevokeCmd) Run(ctx context.Context, t *terminal) error {
	if !c.Yes {
		if err := t.confirm("Revoke the token " + c.Name + "? Whoever has it is locked out at once."); err != nil {
			return err
		}
	}
	return c.ask(ctx, "DELETE", "/v1/tokens/"+url.PathEscape(c.Name), nil, nil)
}
