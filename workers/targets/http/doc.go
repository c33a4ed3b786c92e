// Package http is the kind of target http: a push provider, or a backend of
// one's own, that is told of each deleted push registration by one HTTP request.
//
// 2xx, 404 and 410 mean that the registration is gone. 401 and 403 blame the
// key in the settings, 429 throttles the target, 5xx are tried again, anything
// else is permanent.
//
// A registration that was made again after the logout, or whose push token
// belongs to a newer registration, is left alone: package store says when.
package http
