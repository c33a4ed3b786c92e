package main

// clientCommands are the commands that talk to the admin API of a running
// server. Run of each returns nil or an error for report.
type clientCommands struct {
	Register        registerCmd        `cmd:"" help:"Register a session, a refresh token or a push registration."`
	Import          importCmd          `cmd:"" help:"Register everything in an NDJSON file."`
	Revoke          revokeCmd          `cmd:"" help:"Log out a session, a user, a user's device; or many at once: an app, a tenant, users from a file, everything authenticated before a time."`
	Status          statusCmd          `cmd:"" help:"Did this user really get logged out? Of one logout, session or user."`
	Failed          failedCmd          `cmd:"" help:"Group, list, show, replay and discard what logoutd has given up on (dead letters)."`
	Jobs            jobsCmd            `cmd:"" help:"List, watch, pause, resume and cancel replays, discards and bulk revocations."`
	Audit           auditCmd           `cmd:"" help:"Show what operators did, newest first."`
	Tokens          tokensCmd          `cmd:"" help:"Create, list and revoke admin tokens."`
	ConsoleSessions consoleSessionsCmd `cmd:"" help:"List sessions of the console and end them."`
	Subscribers     subscribersCmd     `cmd:"" help:"Create, list and revoke services that read logout events from the broker."`
	Targets         targetsCmd         `cmd:"" help:"List targets, enable those that are disabled, and discard or move their deliveries."`
	Damage          damageCmd          `cmd:"" help:"List what the broker's streams have lost, and acknowledge it."`
	Events          eventsCmd          `cmd:"" help:"Print logout events as they happen, one CloudEvent a line."`
	Health          healthCmd          `cmd:"" help:"Ask whether the server is alive and ready."`
}

// outputFlags choose the form of what a command prints.
type outputFlags struct {
	Output string `enum:"table,json" default:"table" help:"Form of the output: table or json."`
}

func (f outputFlags) json() bool { return f.Output == "json" }
