package sqlitestore

import (
	"embed"
	"fmt"
)

// schema holds one file a version, 1.sql being the first; a file that was
// released is never changed. user_version of a database is the last one applied.
//
//go:embed schema
var schema embed.FS

const schemaVersion = 2

// migrate brings the database to schemaVersion, a version a transaction.
func migrate(c *conn) error {
	var version int
	err := c.transact(`BEGIN`, func(h handle) error {
		_, err := h.row(`PRAGMA user_version`, nil, &version)
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if version > schemaVersion {
		return fmt.Errorf("the schema is version %d, this program knows %d: it was written by a newer logoutd", version, schemaVersion)
	}
	for version++; version <= schemaVersion; version++ {
		if err := apply(c, version); err != nil {
			return fmt.Errorf("migrating to schema version %d: %w", version, err)
		}
	}
	return nil
}

func apply(c *conn, version int) error {
	statements, err := schema.ReadFile(fmt.Sprintf("schema/%d.sql", version))
	if err != nil {
		return err
	}
	return c.transact(`BEGIN IMMEDIATE`, func(h handle) error {
		if err := h.script(string(statements)); err != nil {
			return err
		}
		return h.script(fmt.Sprintf(`PRAGMA user_version = %d`, version))
	})
}
