-- Creates the records of sessions or refresh tokens, or extends their expiry.
-- KEYS of each: the record.
-- ARGV of each: retention, tenant, user, time of authentication, expiry, then
-- what a new record has besides, each of them unless it is empty: session,
-- device, app, kind.
-- Returns of each what became of it, and when it ended or its time of
-- authentication.
local at = now()
local others = {'session', 'device', 'app', 'kind'}

local function create(key, a)
  local fields = {'tenant', ARGV[a + 2], 'user', ARGV[a + 3], 'auth', ARGV[a + 4], 'exp', ARGV[a + 5]}
  for i, name in ipairs(others) do
    local value = ARGV[a + 5 + i]
    if value ~= '' then
      fields[#fields + 1] = name
      fields[#fields + 1] = value
    end
  end
  redis.call('HSET', key, unpack(fields))
end

return each(9, 1, function(k, a)
  local key = KEYS[k + 1]
  local retention, auth, exp = ms(ARGV[a + 1]), ms(ARGV[a + 4]), ms(ARGV[a + 5])
  local r = read(key)
  if not r then
    create(key, a)
    keep(key, exp + retention - at)
    return {'created', auth}
  end
  if tombstone(r) then return {'revoked', r.revoked} end
  if r.tenant ~= ARGV[a + 2] or r.user ~= ARGV[a + 3] then return {'other', 0} end
  local over = ended(r, at)
  if over > 0 then return {'revoked', over} end
  if exp > r.exp then
    redis.call('HSET', key, 'exp', ARGV[a + 5])
    keep(key, exp + retention - at)
  end
  return {'extended', r.auth}
end)
