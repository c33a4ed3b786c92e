// Command logoutd answers logouts at once and makes them true everywhere.
//
// This package is wiring and command line only: settings, roles, start and
// drain. What a logout means is in handlers, workers, events and store.
package main
