package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// subscribersCmd groups the commands for subscribers.
type subscribersCmd struct {
	Create subscribersCreateCmd `cmd:"" help:"Create a subscriber and print its password. It is shown only once."`
	List   subscribersListCmd   `cmd:"" help:"List subscribers, without their passwords."`
	Revoke subscribersRevokeCmd `cmd:"" help:"Revoke a subscriber and delete its consumers."`
}

type subscribersCreateCmd struct {
	clientFlags `json:"-"`
	outputFlags `json:"-"`

	Name      string `arg:"" json:"name" help:"The service that subscribes: 1 to 32 of a-z, 0-9 and \"-\"."`
	Consumers int    `json:"consumers" default:"1" help:"Number of durable consumers to create: one is named NAME, several are named NAME_1, NAME_2 and so on. Each receives every event."`
}

// natsConfHint says what to do for an external NATS server.
const natsConfHint = `# Add this to "accounts" in nats.conf, then restart nats-server, or reload it twice:
# nats-server (2.15) creates a new account at the first reload, and its imports at
# the second. The account contains a hash of the password.`

// Run creates the subscriber.
func (c *subscribersCreateCmd) Run(ctx context.Context, t *terminal) error {
	var answer struct {
		Name      string   `json:"name"`
		Password  string   `json:"password"`
		Consumers []string `json:"consumers"`
		Account   string   `json:"nats_account,omitempty"`
	}
	if err := c.ask(ctx, "POST", "/v1/subscribers", c, &answer); err != nil {
		return err
	}
	if c.json() {
		return printLine(t.out, answer)
	}
	err := printTable(t.out, row{"user", answer.Name}, row{"password", answer.Password}, row{"consumers", strings.Join(answer.Consumers, " ")})
	if err == nil && answer.Account != "" {
		_, err = fmt.Fprintf(t.out, "\n%s\n%s", natsConfHint, answer.Account)
	}
	return err
}

type subscribersListCmd struct {
	clientFlags
	outputFlags
}

// Run lists the subscribers.
func (c *subscribersListCmd) Run(ctx context.Context, t *terminal) error {
	var answer struct {
		Subscribers []json.RawMessage `json:"subscribers"`
	}
	if err := c.ask(ctx, "GET", "/v1/subscribers", nil, &answer); err != nil {
		return err
	}
	return printEach(t.out, c.outputFlags, answer.Subscribers, func(s struct {
		Name      string
		Consumers []string
		CreatedAt string `json:"created_at"`
		CreatedBy string `json:"created_by"`
		Revoked   bool
	}) row {
		state := "active"
		if s.Revoked {
			state = "partly revoked: revoke it again"
		}
		return row{s.Name, strings.Join(s.Consumers, " "), s.CreatedAt, s.CreatedBy, state}
	}, "NAME", "CONSUMERS", "CREATED AT", "BY", "STATE")
}

type subscribersRevokeCmd struct {
	clientFlags

	Name string `arg:"" help:"Name of the subscriber."`
	Yes  bool   `short:"y" help:"Do not ask for confirmation."`
}

// Run revokes the subscriber.
func (c *subscribersRevokeCmd) Run(ctx context.Context, t *terminal) error {
	if !c.Yes {
		if err := t.confirm("Revoke the subscriber " + c.Name + "? Its consumers are deleted and lose their position in the stream."); err != nil {
			return err
		}
	}
	var answer struct {
		Account string `json:"nats_account"`
	}
	if err := c.ask(ctx, "DELETE", "/v1/subscribers/"+url.PathEscape(c.Name), nil, &answer); err != nil {
		return err
	}
	if answer.Account != "" {
		fmt.Fprintf(t.err, "The consumers are deleted. The password still works for reading events until you remove the account %q from nats.conf and reload nats-server.\n",
			answer.Account)
	}
	return nil
}
