// Package password knows what a good password is and how it is kept: rules,
// hashes behind a gate, and hashes of other products until their owner signs
// in once.
package password

import "embed"

// Phrases are what people read of this package's faults.
//
//go:embed phrases/*.json
var Phrases embed.FS
