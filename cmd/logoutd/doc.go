// Command logoutd answers logouts at once and enforces them everywhere.
//
// This package holds the wiring and the command line only: settings, roles,
// start and drain. Packages handlers, workers, events and store implement the
// logout itself.
package main
