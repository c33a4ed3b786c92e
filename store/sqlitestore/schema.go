package sqlitestore

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
)

// schema holds one file a version, 1.sql being the first; a file that was
// released is never changed. user_version of a database is the last one applied.
//
//go:embed schema
var schema embed.FS

const schemaVersion = 1

// migrate brings the database to schemaVersion, a version a transaction.
func migrate(ctx context.Context, conn *sql.Conn) error {
	var version int
	if err := conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	if version > schemaVersion {
		return fmt.Errorf("the schema is version %d, this program knows %d: it was written by a newer logoutd", version, schemaVersion)
	}
	for version++; version <= schemaVersion; version++ {
		if err := apply(ctx, conn, version); err != nil {
			return fmt.Errorf("migrating to schema version %d: %w", version, err)
		}
	}
	return nil
}

func apply(ctx context.Context, conn *sql.Conn, version int) error {
	statements, err := schema.ReadFile(fmt.Sprintf("schema/%d.sql", version))
	if err != nil {
		return err
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, string(statements)); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", version)); err != nil {
		return err
	}
	return tx.Commit()
}
