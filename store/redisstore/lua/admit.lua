-- Enters sessions or refresh tokens into their users' indexes, unless a cutoff
-- covers them.
-- KEYS of each: the cutoffs of user and device, the index.
-- ARGV of each: id, time of authentication (0: the next millisecond), '1' where
-- a caller gave that time, expiry, retention.
-- Returns of each the time of authentication, and the cutoff that refuses it
-- or 0.
local at = now()
return each(5, 3, function(k, a)
  local floor = math.max(cutoff(KEYS[k + 1]), cutoff(KEYS[k + 2]))
  local auth = ms(ARGV[a + 2])
  if auth == 0 or (ARGV[a + 3] == '1' and auth > at) then auth = math.max(at, floor) + 1 end
  if auth <= floor then return {auth, floor} end
  enter(KEYS[k + 3], ARGV[a + 1], ms(ARGV[a + 4]), ms(ARGV[a + 5]), at)
  return {auth, 0}
end)
