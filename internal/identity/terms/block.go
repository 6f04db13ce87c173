package terms

import "strings"

// A Block of a text as a page shows it: a heading, a paragraph or a list.
type Block struct {
	Heading, Text string
	Items         []string
}

// Blocks parts the text at its empty lines.
func (t Terms) Blocks() (all []Block) {
	for part := range strings.SplitSeq(strings.ReplaceAll(t.Body, "\r\n", "\n"), "\n\n") {
		part = strings.TrimSpace(part)
		switch {
		case part == "":
		case strings.HasPrefix(part, "# "):
			all = append(all, Block{Heading: part[2:]})
		case strings.HasPrefix(part, "- "):
			var b Block
			for line := range strings.Lines(part) {
				b.Items = append(b.Items, strings.TrimSpace(strings.TrimPrefix(line, "- ")))
			}
			all = append(all, b)
		default:
			all = append(all, Block{Text: part})
		}
	}
	return all
}
