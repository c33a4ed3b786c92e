package redisstore

import "testing"

// redisReply is an error that Redis replied with.
type redisReply string

func (r redisReply) Error() string { return string(r) }
func (redisReply) RedisError()     {}

func TestRefusalsAreNoFailuresOfTheirItems(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"READONLY You can't write against a read only replica.":                          true,
		"OOM command not allowed when used memory > 'maxmemory'. script: 4e, on @user_s": true,
		// Redis 6 wraps what a script's command is refused with.
		"ERR Error running script (call to f_4e): @user_script:9: @user_script: 9: -READONLY You can't write against a read only replica.":   true,
		"ERR Error running script (call to f_4e): @user_script:9: @user_script: 9: -OOM command not allowed when used memory > 'maxmemory'.": true,
		"ERR Error running script (call to f_4e): malformed record":                                                                          false,
		"WRONGTYPE Operation against a key holding the wrong kind of value":                                                                  false,
		"ERR malformed time script: 4e, on @user_script:10.":                                                                                 false,
		"ERR Error running script (call to f_4e): @user_script:9: -1 is no such time":                                                        false,
	} {
		if got := isUnavailable(redisReply(text)); got != want {
			t.Errorf("%s: unavailable %v, want %v", text, got, want)
		}
	}
}
