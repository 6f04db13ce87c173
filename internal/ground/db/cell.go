package db

import (
	"fmt"
	"time"
)

// A Cell is a value of any column as text, alike on both engines: moments in RFC
// 3339, yes and no as "1" and "0", nothing as "".
type Cell string

// Scan implements sql.Scanner.
func (c *Cell) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c = ""
	case time.Time:
		*c = Cell(v.UTC().Format(time.RFC3339))
	case []byte:
		return c.Scan(string(v))
	case bool:
		return c.Scan(map[bool]string{true: "1", false: "0"}[v])
	case string:
		var t Time // SQLite loses the type of a column where tables are joined
		if len(v) > 18 && v[4] == '-' && t.Scan(v) == nil {
			return c.Scan(t.Time)
		}
		*c = Cell(v)
	default:
		*c = Cell(fmt.Sprint(v))
	}
	return nil
}
