package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// subscribersCmd groups what is done with subscribers.
type subscribersCmd struct {
	Create subscribersCreateCmd `cmd:"" help:"Create a subscriber and print its password, this once."`
	List   subscribersListCmd   `cmd:"" help:"List subscribers, without their passwords."`
	Revoke subscribersRevokeCmd `cmd:"" help:"Revoke a subscriber and delete its consumers."`
}

type subscribersCreateCmd struct {
	clientFlags `json:"-"`
	outputFlags `json:"-"`

	Name      string `arg:"" json:"name" help:"The service that subscribes: 1 to 32 of a-z, 0-9 and \"-\"."`
	Consumers int    `json:"consumers" default:"1" help:"How many durable consumers it gets: one named NAME, several named NAME_1, NAME_2 and so on. Each receives every event."`
}

// natsConfHint says what a broker that is not embedded needs.
const natsConfHint = `# Add this to "accounts" in nats.conf, then restart nats-server, or reload it twice:
# nats-server (2.15) makes a new account at the first reload, and its imports at
# the second. It holds a hash of the password.`

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
			state = "revoked in part: revoke it once more"
		}
		return row{s.Name, strings.Join(s.Consumers, " "), s.CreatedAt, s.CreatedBy, state}
	}, "NAME", "CONSUMERS", "CREATED AT", "BY", "STATE")
}

type subscribersRevokeCmd struct {
	clientFlags

	Name string `arg:"" help:"The subscriber, by its name."`
	Yes  bool   `short:"y" help:"Do not ask."`
}

// Run revokes the subscriber.
func (c *subscribersRevokeCmd) Run(ctx context.Context, t *terminal) error {
	if !c.Yes {
		if err := t.confirm("Revoke the subscriber " + c.Name + "? Its consumers forget how far they have come."); err != nil {
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
		fmt.Fprintf(t.err, "The consumers are deleted. The password works, to read events, until you remove the account %q from nats.conf and reload nats-server.\n",
			answer.Account)
	}
	return nil
}
