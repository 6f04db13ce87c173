// Package departure ends accounts: asked for, after a grace, or for want of use.
package departure

import (
	"embed"

	"zunft/internal/ground/db"
	"zunft/internal/ground/job"
)

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS

// Work adds what this package does after the request and by the clock.
func Work(r *job.Runner, d *db.DB) {}
