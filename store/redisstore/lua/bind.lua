-- Binds refresh tokens to sessions, and lets the sessions' records outlive
-- them.
-- KEYS of each: the session's record, the index of what is bound to it.
-- ARGV of each: id of the token, its expiry, retention, tenant, user, '1' where
-- an expired session refuses it.
-- Returns of each what became of it, when the session ended or its time of
-- authentication, and its device.
local at = now()
return each(6, 2, function(k, a)
  local record, bound = KEYS[k + 1], KEYS[k + 2]
  local r = read(record)
  if not r then return {'unknown', 0} end
  if tombstone(r) then return {'revoked', r.revoked} end
  if r.tenant ~= ARGV[a + 4] or r.user ~= ARGV[a + 5] then return {'other', 0} end
  local over = ended(r, at)
  if r.revoked > 0 or (over > 0 and ARGV[a + 6] == '1') then return {'revoked', over} end
  local exp, retention = ms(ARGV[a + 2]), ms(ARGV[a + 3])
  enter(bound, ARGV[a + 1], exp, retention, at)
  keep(record, exp + retention - at)
  return {'bound', r.auth, r.device}
end)
