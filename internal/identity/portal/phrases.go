package portal

import "embed"

// Phrases of the frame around the identity portal's pages.
//
//go:embed phrases/*.json
var Phrases embed.FS
