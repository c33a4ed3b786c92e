-- What the scripts share; it stands in front of each of them.

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

local function cutoff(key)
  return ms(redis.call('GET', key))
end

-- keep lets a key live for at least ttl milliseconds from now.
local function keep(key, ttl)
  local left = redis.call('PTTL', key)
  if left == -1 or left < ttl then redis.call('PEXPIRE', key, ttl) end
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
-- the longest-lived credential of the user.
local function lifetime(sessions, refresh, retention, least, at)
  return math.max(least, math.max(latest(sessions), latest(refresh)) + retention - at)
end

-- raise lets a cutoff rise, never fall.
local function raise(key, value, ttl)
  if value > cutoff(key) then redis.call('SET', key, value, 'KEEPTTL') end
  keep(key, ttl)
end

local names = {'tenant', 'user', 'device', 'app', 'kind', 'session', 'auth', 'exp', 'revoked', 'mark'}

-- read is the record of a session or refresh token, nil where there is none.
local function read(key)
  local values = redis.call('HMGET', key, unpack(names))
  local r = {}
  for i, name in ipairs(names) do r[name] = values[i] or '' end
  if r.auth == '' or r.exp == '' then
    if redis.call('EXISTS', key) == 0 then return nil end
    error('malformed record', 0)
  end
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

-- ended is when a record ended, 0 while it lives.
local function ended(r, at)
  if r.revoked > 0 then return math.min(r.revoked, r.exp) end
  if r.exp <= at then return r.exp end
  return 0
end
