// Package redistest starts real Redis servers for tests: [Start] a single one,
// [StartCluster] a Redis Cluster of three masters. Each has a free port and a
// directory of its own, and ends with the test.
//
// It needs the program redis-server (7.0 or later). Where that is missing the
// test is skipped, or fails if the environment variable CI is set. It imports
// nothing else of logoutd.
package redistest
