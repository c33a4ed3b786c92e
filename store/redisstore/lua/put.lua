-- Creates the record of a session or refresh token, or extends its expiry.
-- KEYS: the record.
-- ARGV: retention, tenant, user, time of authentication, expiry, then the
-- other fields as pairs of name and value.
-- Returns what became of it, and when it ended or its time of authentication.
local at = now()
local retention, auth, exp = ms(ARGV[1]), ms(ARGV[4]), ms(ARGV[5])
local r = read(KEYS[1])
if not r then
  redis.call('HSET', KEYS[1], 'tenant', ARGV[2], 'user', ARGV[3], 'auth', auth, 'exp', exp, unpack(ARGV, 6))
  keep(KEYS[1], exp + retention - at)
  return {'created', auth}
end
if r.tenant ~= ARGV[2] or r.user ~= ARGV[3] then return {'other', 0} end
local over = ended(r, at)
if over > 0 then return {'revoked', over} end
if exp > r.exp then
  redis.call('HSET', KEYS[1], 'exp', exp)
  keep(KEYS[1], exp + retention - at)
end
return {'extended', r.auth}
