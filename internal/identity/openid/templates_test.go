package openid

import (
	"testing"

	"github.com/jba/templatecheck"
)

func TestTemplates(t *testing.T) {
	if err := templatecheck.CheckHTML(templates.Page("end_session"), &endPage{}); err != nil {
		t.Error(err)
	}
}
