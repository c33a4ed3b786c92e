// Package eventstest gives tests a real broker: the embedded one, with the
// streams of logoutd, on files that go with the test.
package eventstest
