// Package captcha asks a question that people answer and machines find hard.
package captcha

import _ "github.com/mojocn/base64Captcha"
