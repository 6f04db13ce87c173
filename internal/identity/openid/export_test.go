package openid

// Sweep is the periodic work, for tests that do not wait for it.
var Sweep = (*Provider).sweep
