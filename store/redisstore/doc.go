// Package redisstore keeps the store in Redis or a Redis Cluster.
//
// It owns the keys below and the scripts in lua/. It imports nothing of
// logoutd but package store; redistest starts servers for tests.
//
// # Servers
//
// Redis 6.2 or later, by one of these URLs ("rediss" instead of "redis": TLS):
//
//	redis://[user:password@]host:6379[/database]
//	unix://[user:password@]/path/to/redis.sock[?db=database]
//	redis+cluster://[user:password@]host:6379[?addr=host2:6379&addr=host3:6379]
//	redis+sentinel://[user:password@]sentinel:26379[/database]?master_name=name[&addr=sentinel2:26379]
//
// With TLS, each server's certificate must be valid for the first host. User
// and password are those of the Redis servers; the Sentinels' own are the
// parameters sentinel_username and sentinel_password. More parameters, with
// their defaults: dial_timeout (2s), read_timeout and write_timeout (3s),
// pool_timeout (1s), pool_size (10 for each CPU).
//
// Set appendonly yes (with appendfsync always, what was answered survives a
// power failure too), maxmemory-policy noeviction (an evicted record is a
// logout forgotten) and lazyfree-lazy-expire yes (a big index that expires
// stops nobody). All reads go to masters.
//
// # Keys
//
// Times are milliseconds since 1970, by the clock of Redis (TIME). Values are
// the bytes as they are; a field that is empty may be absent.
//
//	sid   id of a session, rid of a refresh token: base64url(SHA-256(token)), unpadded
//	u     base64url(tenant id) "." base64url(user id), both unpadded; the tenant id may be empty
//	dev   base64url(device id), unpadded
//
// The braces are part of the key: what they enclose decides the cluster's
// hash slot. A user's keys lie in one slot, a session's in another.
//
//	key                                  type    what
//	logoutd:session:{sid}                hash    tenant, user, device, app, kind (api, the default, or browser),
//	                                             auth (time of authentication), exp (expiry),
//	                                             revoked (time), mark (id of the request that revoked it)
//	logoutd:session:{sid}:refresh        zset    rids bound to the session, by expiry
//	logoutd:refresh:{rid}                hash    as of a session, without kind; session (sid that it is bound to)
//	logoutd:user:{u}:sessions            zset    sids of the user, by expiry
//	logoutd:user:{u}:refresh             zset    rids of the user, by expiry
//	logoutd:user:{u}:push                set     ids of the user's push registrations
//	logoutd:user:{u}:push:id             hash    registered (time), device, app, provider, token, mark;
//	                                             session and auth (sid that it is bound to, and its auth)
//	logoutd:user:{u}:cutoff              string  cutoff of the user
//	logoutd:user:{u}:cutoff:device:dev   string  cutoff of one device
//	logoutd:user:{u}:cutoff:push:dev     hash    cutoffs of the push registrations on a device, by fields:
//	                                             all (of every app), app:NAME (of that app and of none),
//	                                             any (the latest of these, for registrations without an app)
//	logoutd:user:{u}:ended:sid           string  when a session logged out by itself, or whose logout was given up, ended
//	logoutd:push:{pid}                   hash    holder (key of the newest registration that has the push token) and its
//	                                             registered; pid: base64url(SHA-256(base64url(provider) "." base64url(token)))
//	logoutd:request:{id}                 string  the logout request was told
//	logoutd:probe:{n}                    -       written and removed at once, to see whether Redis takes writes
//
// A session that was logged out before it was registered has a record without
// tenant and user, with revoked, mark, and auth and exp as revoked, for the
// retention.
//
// Kept until: a session's two keys, the latest expiry of itself and of all
// bound to it, plus the retention; a refresh token, its expiry plus the
// retention; an index of sessions or refresh tokens, the latest expiry in it
// plus the retention; the holder of a push token, as long as its registration,
// at most 400 days from the time it was last made; a cutoff, 400 days after its last rise, or as long as an
// index of the user if that is longer; "ended", the retention; a request, as
// long as its session, at least the retention; push registrations, until
// deleted. The retention is logoutd's setting sessions.retention (72 h).
//
// # A login service that writes sessions itself
//
// Registration through the admin API does all this. A service that would
// rather write to Redis does exactly the following, in this order, so that a
// logout that happens at the same time misses nothing. Here user "alice" of
// tenant "acme" logs in on device "phone", authenticated at 1767225600000, and
// the session expires at 4070908800000.
//
// 1. Read the cutoffs of the user and of the device. The time of
// authentication must be later than both. It is the time of Redis (TIME) when
// the user showed a credential. A login that has just happened takes the next
// millisecond (TIME + 1, or the cutoff + 1 where that is later still), and
// hands the session out when that has come: a logout in the same millisecond,
// of another session of the user, may have been before it or after it.
//
//	> GET logoutd:user:{YWNtZQ.YWxpY2U}:cutoff
//	> GET logoutd:user:{YWNtZQ.YWxpY2U}:cutoff:device:cGhvbmU
//
// 2. Enter the session into the user's index, and let that live until the
// expiry plus the retention (NX where it has no expiry yet, GT so that none
// becomes shorter; Redis 7.0). A session without a device has no second key in
// steps 1 and 4.
//
//	> ZADD logoutd:user:{YWNtZQ.YWxpY2U}:sessions GT 4070908800000 ZrBSq50ROvNJ3KtpfDKVDaq-iTwsV81kjjCEyp2BksA
//	> PEXPIREAT logoutd:user:{YWNtZQ.YWxpY2U}:sessions 4071168000000 NX
//	> PEXPIREAT logoutd:user:{YWNtZQ.YWxpY2U}:sessions 4071168000000 GT
//
// 3. Write the record, under an id that was never used before, in one
// transaction with its end.
//
//	> MULTI
//	> HSET logoutd:session:{ZrBSq50ROvNJ3KtpfDKVDaq-iTwsV81kjjCEyp2BksA} tenant acme user alice device phone app mail kind api auth 1767225600000 exp 4070908800000
//	> PEXPIREAT logoutd:session:{ZrBSq50ROvNJ3KtpfDKVDaq-iTwsV81kjjCEyp2BksA} 4071168000000
//	> EXEC
//
// 4. Read the cutoffs as in step 1 again, and do not hand out the session if
// one has overtaken it.
//
// A time of authentication that is more than a millisecond ahead of the clock of
// Redis proves nothing: the next logout that covers the session revokes it,
// whatever its cutoff. So take the time from Redis, not from the service's clock.
//
// Push registrations are for the admin API. A program that writes one all the same also
// writes logoutd:push:{pid}, after the registration: without it an older
// registration of the same push token counts as its only holder, and the logout
// of that older one deletes the push token at the provider, so that the newer
// login gets no pushes. The same holds for a registration that was made by an
// earlier build, or not once in 400 days.
//
// A service that dies between two steps leaves nothing live behind, as long as
// its sessions expire within 400 days. It must not write a record again
// (extending a session, refresh tokens and push registrations are for the
// admin API, whose scripts do each in one step), nor touch revoked and mark,
// nor delete or shorten the life of any key, nor write cutoffs: logging out is
// for logoutd.
//
// # Checking a session
//
// A session is active if and only if its record exists, revoked is absent, exp
// is later than now, and auth is later than the cutoff of its user and the
// cutoff of its device, as far as these exist. Read the record first:
//
//	> HMGET logoutd:session:{ZrBSq50ROvNJ3KtpfDKVDaq-iTwsV81kjjCEyp2BksA} tenant user device auth exp revoked
//	> GET logoutd:user:{YWNtZQ.YWxpY2U}:cutoff
//	> GET logoutd:user:{YWNtZQ.YWxpY2U}:cutoff:device:cGhvbmU
//
// A refresh token is active by the same rule and, if it is bound to a session,
// only while that session's record exists and has no revoked; the session may
// have expired. A check that reads the record only is wrong: a logout of a
// user raises the cutoff first and marks the records later.
//
// # How it stays right on a cluster
//
// No step spans two slots, so each step is safe where the next never comes.
// Registration enters the index first, in one script with the check of the
// cutoffs, then writes the record, then looks at the cutoffs once more. A
// revocation raises the cutoff first and goes through the index then, so it
// finds whatever was admitted before; what it finds without a record yet is
// dead through the cutoff when it appears. A refresh token is bound in the
// session's slot, in one script with the check that the session is not
// revoked. Nothing checks a push registration later, so it is checked and
// written by one script in its user's slot; that is why a session logged out
// by itself leaves "ended" there. The entry of a push token lies in a slot of its
// own: it is written after the registration, deleted after it, and counts only
// where the registration that it names is there and has the push token.
//
// # Going through everybody
//
// There is no index of all users. Holders looks for their indexes by SCAN, on
// one master after another, and reads each index by ZSCAN or SSCAN, a page of
// some hundred members at a time; what it has found and not read yet travels in
// its cursor. A cursor is worth something to the process only that gave it, and
// a slot that moves takes its keys along. So each page begins with a look at
// the run_id of each master and the slots that it serves itself (INFO, CLUSTER
// NODES), and the last one ends with it: where anything differs from before,
// everything is gone through again. While a slot is being moved, or not served,
// Holders fails with [store.ErrUnavailable]. A session takes some 15 µs of
// Redis' time.
//
// # How it stays fast
//
// Each step of a batch is a pipeline, or a few at the same time: Redis reads
// some 20 KB of a connection, does that, and syncs, and what has come on other
// connections shares the sync. Items that need the same script share its calls;
// on a cluster each item has its own, in its slot. A
// step reads what the next one needs: the script that raises a cutoff returns
// the user's indexes too, as long as they are short. Longer ones are read by
// ZSCAN and SSCAN, some hundred members at a time. Indexes are pruned of a few
// expired members at each registration. No script's run time grows with a
// user's data.
//
// Concurrent fences go to their server together, in a few pipelines at the same
// time too. What Revoke has marked it remembers for a while, so that Finish need
// not look for it; a Finish in another process, or after very many requests,
// reads the indexes again.
package redisstore
