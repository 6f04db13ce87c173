package openid

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// A hint is what an id_token_hint says: whom we once told an application about.
type hint struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Session  string   `json:"sid"`
}

// audience is a string or a list of strings (RFC 7519, section 4.1.3).
type audience []string

func (a *audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

var errHint = errors.New("id_token_hint was not issued here")

// readHint verifies an ID token of ours. It may have expired: it only says who
// is meant. Signature, key, algorithm of that key, type and issuer must be right.
func (p *Provider) readHint(raw string) (hint, error) {
	var h hint
	if len(raw) > 8<<10 || strings.Count(raw, ".") != 2 {
		return h, errHint
	}
	parsed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil || len(parsed.Signatures) != 1 {
		return h, errHint
	}
	header := parsed.Signatures[0].Protected
	signer := p.keys.find(header.KeyID)
	if signer == nil || signer.alg != header.Algorithm || header.ExtraHeaders[jose.HeaderType] != typeToken {
		return h, errHint
	}
	payload, err := parsed.Verify(signer.public.Key)
	if err != nil || json.Unmarshal(payload, &h) != nil {
		return hint{}, errHint
	}
	if h.Issuer != p.Site.Base || h.Subject == "" || len(h.Audience) == 0 || slices.Contains(h.Audience, "") {
		return hint{}, errHint
	}
	return h, nil
}
