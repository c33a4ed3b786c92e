-- Fences a session.
-- KEYS: its record.
-- ARGV: request id, upper bound of the cutoff (0: none), '1' to refuse a
-- live session of kind browser.
-- Returns the outcome, the cutoff, and the record as it is now.
local at = now()
local r = read(KEYS[1])
if not r then return {'unknown', 0} end
if ARGV[3] == '1' and r.kind == 'browser' and ended(r, at) == 0 then
  return {'refused', 0, unpack(show(r, at))}
end
local bound = ms(ARGV[2])
if bound == 0 or bound > at then bound = at end
local outcome = ended(r, at) == 0 and 'fenced' or 'ended'
if r.revoked == 0 then
  r.revoked = math.max(math.min(bound, r.exp), r.auth)
  r.mark = ARGV[1]
  redis.call('HSET', KEYS[1], 'revoked', r.revoked, 'mark', r.mark)
end
return {outcome, math.max(math.min(bound, r.revoked, r.exp), r.auth), unpack(show(r, at))}
