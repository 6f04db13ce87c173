// Package factor keeps second factors.
package factor

import _ "github.com/go-webauthn/webauthn/webauthn"
