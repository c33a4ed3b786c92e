package redisstore

import (
	"context"
	"embed"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed lua/*.lua
var luaFiles embed.FS

// The scripts; each file says what it takes and returns. Their run time does
// not grow with a user's data. One whose file says "of each" takes several
// items, see [pipe.each].
var (
	lookScript        = script("look")
	admitScript       = script("admit")
	putScript         = script("put")
	bindScript        = script("bind")
	withdrawScript    = script("withdraw")
	fenceScript       = script("fence")
	raiseScript       = script("raise")
	cutScript         = script("cut")
	cutSessionScript  = script("cut_session")
	endScript         = script("end")
	presentScript     = script("present")
	markScript        = script("mark")
	pushPutScript     = script("push_put")
	pushMarkScript    = script("push_mark")
	pushDeleteScript  = script("push_delete")
	pushHoldScript    = script("push_hold")
	pushReleaseScript = script("push_release")
	probeScript       = script("probe")
)

// sources are the texts of the scripts by their hash.
var sources = map[string]string{}

// testClocked are the scripts that take the time from [TestClockKey], by those
// that take the server's.
var testClocked = map[string]string{}

func script(name string) string {
	source := luaFile("prelude") + luaFile(name)
	hash := addSource(source)
	testClocked[hash] = addSource(strings.Replace(source, "function now()",
		"function now() return tonumber(redis.call('GET', '"+TestClockKey+"')) end\nlocal function serverTime()", 1))
	return hash
}

func addSource(source string) (hash string) {
	hash = redis.NewScript(source).Hash()
	sources[hash] = source
	return hash
}

func luaFile(name string) string {
	b, err := luaFiles.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err) // embedded
	}
	return string(b)
}

// resendUnloaded sends again, with their source, the scripts that a server
// did not know: it has restarted, or another took its place.
func resendUnloaded(ctx context.Context, client redis.UniversalClient, cmds []redis.Cmder) error {
	var again redis.Pipeliner
	for _, cmd := range cmds {
		if !redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
			continue
		}
		if again == nil {
			again = client.Pipeline()
		}
		args := cmd.Args()
		args[0], args[1] = "eval", sources[args[1].(string)]
		cmd.SetErr(nil)
		_ = again.Process(ctx, cmd)
	}
	if again == nil {
		return nil
	}
	_, err := send(ctx, again)
	return err
}
