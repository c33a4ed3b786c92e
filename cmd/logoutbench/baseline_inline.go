package main

import (
	"context"
	"net/http"

	"github.com/redis/go-redis/v9"
)

// inlineCmd is the baseline inline: the usual hand-written logout handler,
// which does all the deletes in Redis itself, one after the other, before it
// answers. It speaks sap_v1 and sap_v2.
type inlineCmd struct {
	Redis string `required:"" help:"Address of the Redis, as host:port."`
}

// Run serves until ctx ends.
func (c *inlineCmd) Run(ctx context.Context) error {
	client := redis.NewClient(&redis.Options{Addr: c.Redis})
	defer func() { _ = client.Close() }()
	h := inlineHandler{client}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+dialects["sap_v1"].path, h.answer(h.endSession))
	mux.HandleFunc("POST "+dialects["sap_v2"].path, h.answer(h.endUser))
	return serveBaseline(ctx, mux)
}

type inlineHandler struct{ redis *redis.Client }

func (h inlineHandler) answer(end func(context.Context, string) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("X-SMP-SESSID")
		if err != nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if err := end(r.Context(), cookie.Value); err != nil {
			http.Error(w, "logout failed", http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// endSession ends one session, the refresh tokens bound to it, and the push
// registration on its device.
func (h inlineHandler) endSession(ctx context.Context, token string) error {
	session, err := h.redis.HGetAll(ctx, inlineSession(token)).Result()
	if err != nil || len(session) == 0 {
		return err
	}
	user := session["user"]
	if err := h.redis.Del(ctx, inlineSession(token)).Err(); err != nil {
		return err
	}
	if err := h.redis.SRem(ctx, inlineSessions(user), token).Err(); err != nil {
		return err
	}
	if err := h.deleteAll(ctx, inlineBound(token), inlineRefresh); err != nil {
		return err
	}
	return h.redis.HDel(ctx, inlinePush(user), session["device"]).Err()
}

// endUser ends everything of the session's user.
func (h inlineHandler) endUser(ctx context.Context, token string) error {
	session, err := h.redis.HGetAll(ctx, inlineSession(token)).Result()
	if err != nil || len(session) == 0 {
		return err
	}
	user := session["user"]
	if err := h.deleteAll(ctx, inlineSessions(user), inlineSession); err != nil {
		return err
	}
	if err := h.deleteAll(ctx, inlineTokens(user), inlineRefresh); err != nil {
		return err
	}
	return h.redis.Del(ctx, inlinePush(user)).Err()
}

// deleteAll deletes what an index names, then the index.
func (h inlineHandler) deleteAll(ctx context.Context, index string, key func(string) string) error {
	members, err := h.redis.SMembers(ctx, index).Result()
	if err != nil || len(members) == 0 {
		return err
	}
	for _, member := range members {
		if err := h.redis.Del(ctx, key(member)).Err(); err != nil {
			return err
		}
	}
	return h.redis.Del(ctx, index).Err()
}

// Keys of the baseline.
func inlineSession(token string) string { return "inline:session:" + token }
func inlineBound(token string) string   { return "inline:session:" + token + ":refresh" }
func inlineRefresh(token string) string { return "inline:refresh:" + token }
func inlineSessions(user string) string { return "inline:user:" + user + ":sessions" }
func inlineTokens(user string) string   { return "inline:user:" + user + ":refresh" }
func inlinePush(user string) string     { return "inline:user:" + user + ":push" }

// usersPerPipeline is how many users of the baseline are written together.
const usersPerPipeline = 500

// registerInline registers the first n users with the baseline.
func (u *users) registerInline(ctx context.Context, client *redis.Client, n int) error {
	for from := 0; from < n; from += usersPerPipeline {
		_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for user := from; user < min(from+usersPerPipeline, n); user++ {
				u.writeInline(ctx, p, user)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	u.registered.Store(int64(n))
	return nil
}

func (u *users) writeInline(ctx context.Context, p redis.Pipeliner, user int) {
	id := u.userID(user)
	first := user * u.Sessions
	for session := first; session < first+u.Sessions; session++ {
		token := u.sessions.token(session)
		p.HSet(ctx, inlineSession(token), "user", id, "device", "phone")
		p.SAdd(ctx, inlineSessions(id), token)
	}
	for number := user * u.RefreshTokens; number < (user+1)*u.RefreshTokens; number++ {
		token := u.refresh.token(number)
		p.Set(ctx, inlineRefresh(token), id, 0)
		p.SAdd(ctx, inlineTokens(id), token)
		p.SAdd(ctx, inlineBound(u.sessions.token(first+number%u.RefreshTokens%u.Sessions)), token)
	}
}
