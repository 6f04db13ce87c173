package attachment

// Bytes are what would be kept.
func Bytes(f File) []byte { return f.bytes }
