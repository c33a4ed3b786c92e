package main

// clientCommands are the commands that call the admin API of a running server.
// Run returns nil or an error for report.
type clientCommands struct {
	Register        registerCmd        `cmd:"" help:"Register a session, a refresh token or a push registration."`
	Import          importCmd          `cmd:"" help:"Register everything in an NDJSON file."`
	Revoke          revokeCmd          `cmd:"" help:"Log out a session, a user or a user's device; or many at once: an app, a tenant, users from a file, everything authenticated before a time."`
	Status          statusCmd          `cmd:"" help:"Show whether a logout, session or user is really logged out."`
	Failed          failedCmd          `cmd:"" help:"Group, list, show, replay and discard dead letters: work that logoutd has given up on."`
	Jobs            jobsCmd            `cmd:"" help:"List, watch, pause, resume and cancel replays, discards and bulk revocations."`
	Audit           auditCmd           `cmd:"" help:"Show what operators did, newest first."`
	Tokens          tokensCmd          `cmd:"" help:"Create, list and revoke admin tokens."`
	ConsoleSessions consoleSessionsCmd `cmd:"" help:"List and end console sessions."`
	Subscribers     subscribersCmd     `cmd:"" help:"Create, list and revoke services that read logout events from the broker."`
	Targets         targetsCmd         `cmd:"" help:"List targets, enable those that are disabled, and discard or move their deliveries."`
	Damage          damageCmd          `cmd:"" help:"List what the broker's streams have lost, and acknowledge it."`
	Events          eventsCmd          `cmd:"" help:"Print logout events as they happen, one CloudEvent per line."`
	Health          healthCmd          `cmd:"" help:"Check whether the server is alive and ready."`
}

// outputFlags choose the output format of a command.
type outputFlags struct {
	Output string `enum:"table,json" default:"table" help:"Output format: table or json."`
}

func (f outputFlags) json() bool { return f.Output == "json" }
