// Package text decodes text that editors and spreadsheets wrote, and escapes
// text from strangers for those who read it: on a terminal, in JSON and in HTML.
//
// It imports nothing of logoutd.
package text
