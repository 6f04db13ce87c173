// Package schema is the training portal's data model: numbered steps, applied
// once, in order, upwards only. Expand first, contract a release later.
package schema

import "embed"

// Files are the steps.
//
//go:embed *.sql
var Files embed.FS
