-- Marks a push registration that a request covers.
-- KEYS: the registration.
-- ARGV: request id, cutoff, scope, device, app, session.
-- Returns the registration where it bears the mark, else nothing.
local names = {'mark', 'registered', 'auth', 'device', 'app', 'provider', 'token', 'session'}
local values = redis.call('HMGET', KEYS[1], unpack(names))
local r = {}
for i, name in ipairs(names) do r[name] = values[i] or '' end
if r.registered == '' then return {} end

local value, scope, device, app, session = ms(ARGV[2]), ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local registered, auth = ms(r.registered), r.auth == '' and 0 or ms(r.auth)
local function covered()
  local before = registered <= value
  if scope == 'user' then return before or (auth > 0 and auth <= value) end
  if scope == 'device' then return r.device == device and (before or (auth > 0 and auth <= value)) end
  if r.session ~= '' and r.session == session then return true end
  return before and device ~= '' and r.device == device and (app == '' or r.app == '' or r.app == app)
end

if r.mark == '' and covered() then
  redis.call('HSET', KEYS[1], 'mark', ARGV[1])
  r.mark = ARGV[1]
end
if r.mark ~= ARGV[1] then return {} end
return {registered, r.device, r.app, r.provider, r.token, r.session}
