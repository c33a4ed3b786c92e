-- Marks sessions and refresh tokens as revoked by requests, where these cover
-- the record and nothing has ended it before.
-- KEYS of each: records.
-- ARGV of each: number of records, request id, cutoff, the latest time of
-- authentication that is covered (the cutoff, or that of the one record),
-- tenant, user, scope, and the scope's device or session.
-- Returns of each the expiries of the records that bear the mark, 0 for others,
-- and -1 for one that is not covered, but whose time of authentication is ahead
-- of the clock.
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
  if scope ~= 'user' and (place or '') ~= name then return 0 end
  if later and scope ~= 'session' then return ahead(ms(auth), at) and -1 or 0 end
  redis.call('HSET', key, 'revoked', later and auth or value, 'mark', request)
  return expiry
end

return each(8, nil, function(k, a)
  local request, value, bound, tenant, user, scope, name = unpack(ARGV, a + 2, a + 8)
  local expiries = {}
  for i = 1, tonumber(ARGV[a + 1]) do
    expiries[i] = mark(KEYS[k + i], request, value, ms(bound), tenant, user, scope, name)
  end
  return expiries
end)
