-- What the scripts share; it stands in front of each of them.

-- each does the items that share a call, one after the other. An item has so
-- many arguments and keys (nil: its first argument says how many), which begin
-- behind the places that one is called with; it fails alone.
local function each(args, keys, one)
  local replies, k, a = {}, 0, 0
  while k < #KEYS do
    local ok, reply = pcall(one, k, a)
    if not ok and type(reply) ~= 'table' then reply = {err = reply} end
    replies[#replies + 1] = reply
    k, a = k + (keys or tonumber(ARGV[a + 1])), a + args
  end
  return replies
end

-- now is the server's clock in milliseconds.
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- ms reads a time in milliseconds; what is absent is 0.
local function ms(value)
  local n = tonumber(value or 0)
  if not n then error('malformed time', 0) end
  return n
end

-- text is a time as an argument of a command: Redis takes much longer to turn
-- a number into one.
local function text(n) return string.format('%d', n) end

local function cutoff(key)
  return ms(redis.call('GET', key))
end

-- ahead tells of a time that it is ahead of the server's clock. The next
-- millisecond is not: a login that has just happened takes that.
local function ahead(time, at) return time > at + 1 end

-- keep lets a key live for at least ttl milliseconds from now.
local function keep(key, ttl)
  local left = redis.call('PTTL', key)
  if left == -1 or left < ttl then redis.call('PEXPIRE', key, text(ttl)) end
end

-- latest is the latest expiry in an index.
local function latest(index)
  return ms(redis.call('ZREVRANGE', index, 0, 0, 'WITHSCORES')[2])
end

-- prune removes what has expired from an index, a few members at a time.
local function prune(index, at)
  local old = redis.call('ZRANGEBYSCORE', index, '-inf', at, 'LIMIT', 0, 20)
  if #old > 0 then redis.call('ZREM', index, unpack(old)) end
end

-- enter puts a member into an index, or raises its expiry.
local function enter(index, member, exp, retention, at)
  prune(index, at)
  redis.call('ZADD', index, 'GT', exp, member)
  keep(index, latest(index) + retention - at)
end

-- lifetime is how long a cutoff that rises now is kept: least, or as long as
-- the user's indexes.
local function lifetime(sessions, refresh, least)
  return math.max(least, redis.call('PTTL', sessions), redis.call('PTTL', refresh))
end

-- raise lets a cutoff rise from what stands, never fall.
local function raise(key, value, standing, ttl)
  if standing > 0 then ttl = math.max(ttl, redis.call('PTTL', key)) end
  redis.call('SET', key, text(math.max(value, standing)), 'PX', text(ttl))
end

-- applying is the cutoff of a request: an earlier one of user or device, where
-- that has overtaken the session presented; of both the one that ended it.
local function applying(value, auth, user, device)
  if auth > 0 and auth <= user then value = math.min(value, user) end
  if auth > 0 and auth <= device then value = math.min(value, device) end
  return value
end

-- few is the list of an index that was asked for one member more than most;
-- false where there are that many.
local most = 250
local limit = tostring(most + 1)
local function few(members) return #members <= most and members or false end

local names = {'tenant', 'user', 'device', 'app', 'kind', 'session', 'auth', 'exp', 'revoked', 'mark'}

-- absent tells of a record that lacks its times whether there is none at all.
local function absent(key)
  if redis.call('EXISTS', key) == 0 then return true end
  error('malformed record', 0)
end

-- read is the record of a session or refresh token, nil where there is none.
local function read(key)
  local values = redis.call('HMGET', key, unpack(names))
  local r = {}
  for i, name in ipairs(names) do r[name] = values[i] or '' end
  if (r.auth == '' or r.exp == '') and absent(key) then return nil end
  r.auth, r.exp = ms(r.auth), ms(r.exp)
  r.revoked = r.revoked == '' and 0 or ms(r.revoked)
  return r
end

-- show is a record as a reply; a reply without one is the time alone.
local function show(r, at)
  local reply = {at}
  if r then
    for _, name in ipairs(names) do reply[#reply + 1] = r[name] end
  end
  return reply
end

-- over is when a record ended, 0 while it lives.
local function over(exp, revoked, at)
  if revoked > 0 then return math.min(revoked, exp) end
  return exp <= at and exp or 0
end

local function ended(r, at) return over(r.exp, r.revoked, at) end

-- lower writes when a session ended, unless an earlier time stands, and returns
-- the earlier.
local function lower(key, value, ttl)
  local standing = ms(redis.call('GET', key))
  if standing > 0 then value = math.min(value, standing) end
  redis.call('SET', key, text(value), 'PX', ttl)
  return value
end

-- fence ends a session at the bound (0: now), or earlier if it was revoked
-- earlier, and returns the cutoff of the logout.
local function fence(key, auth, exp, revoked, request, bound, at)
  if bound == 0 or bound > at then bound = at end
  if revoked > 0 then auth = math.min(auth, revoked) end -- later only where it was ahead of the clock
  local value = math.max(math.min(bound, exp), auth)
  if revoked == 0 then
    redis.call('HSET', key, 'revoked', text(value), 'mark', request)
    return value
  end
  if value < revoked then redis.call('HSET', key, 'revoked', text(value)) end
  return math.max(math.min(bound, revoked, exp), auth)
end

-- tombstone tells of a record whether it is that of a session which was logged
-- out before it was registered.
local function tombstone(r) return r.user == '' and r.revoked > 0 end
