package web

import (
	"embed"
	"encoding/json"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// dist is what `npm run look` made: styles, fonts and icons with hashed names.
//
//go:embed all:dist
var dist embed.FS

var manifest = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	if b, err := dist.ReadFile("dist/manifest.json"); err == nil {
		json.Unmarshal(b, &m)
	}
	return m
})

// Asset is the address of a built file, e.g. Asset("app.css").
func Asset(name string) string {
	if hashed := manifest()[name]; hashed != "" {
		return "/assets/" + hashed
	}
	return "/assets/" + name
}

// HasLook reports whether the look was built into this binary.
func HasLook() bool { return len(manifest()) > 0 }

func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	h := w.Header()
	file := "dist/" + name
	body, err := dist.ReadFile(file)
	if err != nil || name == "manifest.json" || strings.HasPrefix(name, ".") {
		h.Set("Cache-Control", "no-store")
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	h.Set("Vary", "Accept-Encoding")
	accepted := r.Header.Get("Accept-Encoding")
	for _, e := range []struct{ name, ext string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if small, err := dist.ReadFile(file + e.ext); err == nil && strings.Contains(accepted, e.name) {
			body = small
			h.Set("Content-Encoding", e.name)
			break
		}
	}
	kind := mime.TypeByExtension(path.Ext(name))
	if strings.HasSuffix(name, ".woff2") {
		kind = "font/woff2"
	}
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body)
}
