package account

import "strings"

// Browser names the program and the system of a User-Agent as people know them:
// "Firefox, Windows". What is not known is left out. Order counts: Edge says
// Chrome, and Chrome says Safari.
func Browser(agent string) string {
	first := func(pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	program := first("Edg", "Edge", "OPR/", "Opera", "SamsungBrowser", "Samsung Internet", "Firefox", "Firefox", "FxiOS", "Firefox", "CriOS", "Chrome", "Chrom", "Chrome", "Safari", "Safari")
	system := first("Windows", "Windows", "Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "CrOS", "ChromeOS", "Macintosh", "macOS", "Linux", "Linux")
	if program == "" || system == "" {
		return program + system
	}
	return program + ", " + system
}
