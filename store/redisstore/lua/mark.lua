-- Marks sessions and refresh tokens as revoked by requests, where these cover
-- the record and nothing has ended it before.
-- KEYS of each: records.
-- ARGV of each: number of records, request id, cutoff, tenant, user, scope, and
-- the scope's device or session.
-- Returns of each the expiries of the records that bear the mark, 0 for others.
local at = now()

-- what returns the fields that decide. Each takes its time: those that few
-- records need are not among them.
local function what(key, scope)
  if scope == 'user' then return redis.call('HMGET', key, 'tenant', 'user', 'auth', 'exp', 'revoked') end
  return redis.call('HMGET', key, 'tenant', 'user', 'auth', 'exp', 'revoked', scope)
end

local function mark(key, request, value, bound, tenant, user, scope, name)
  local own, owner, auth, exp, revoked, place = unpack(what(key, scope))
  if not (auth and exp) and absent(key) then return 0 end
  if (own or '') ~= tenant or (owner or '') ~= user then return 0 end
  local expiry = ms(exp)
  if revoked and redis.call('HGET', key, 'mark') == request then return expiry end
  if over(expiry, ms(revoked), at) > 0 then return 0 end
  local later = ms(auth) > bound
  local covered
  if scope == 'session' then
    covered = place == name
  else
    covered = not later and (scope == 'user' or (place or '') == name)
  end
  if not covered then return 0 end
  redis.call('HSET', key, 'revoked', later and auth or value, 'mark', request)
  return expiry
end

return each(7, nil, function(k, a)
  local request, value, tenant, user, scope, name = unpack(ARGV, a + 2, a + 7)
  local bound, expiries = ms(value), {}
  for i = 1, tonumber(ARGV[a + 1]) do
    expiries[i] = mark(KEYS[k + i], request, value, bound, tenant, user, scope, name)
  end
  return expiries
end)
