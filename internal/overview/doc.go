// Package overview is what operators look at first: how much is accepted and
// revoked, how long it takes, what waits and since when, which targets are
// paused, and what has failed.
//
// It asks the broker, so that it is true whatever processes there are, a few
// questions a second, none of which takes longer where more waits. It keeps no
// data but the samples of the last [Kept]. Of the other operations it imports
// letters and jobs; it knows nothing of HTTP.
package overview
