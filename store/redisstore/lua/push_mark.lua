-- Marks push registrations that a request covers.
-- KEYS of each: the registration.
-- ARGV of each: request id, cutoff, scope, device, app, session.
-- Returns of each the registration where it bears the mark, else nothing.
local fields = {'mark', 'registered', 'auth', 'device', 'app', 'provider', 'token', 'session'}

local function covered(r, value, scope, device, app, session)
  local before = r.registered <= value
  if scope == 'user' then return before or (r.auth > 0 and r.auth <= value) end
  if scope == 'device' then return r.device == device and (before or (r.auth > 0 and r.auth <= value)) end
  if r.session ~= '' and r.session == session then return true end
  return before and device ~= '' and r.device == device and (app == '' or r.app == '' or r.app == app)
end

return each(6, 1, function(k, a)
  local key, request = KEYS[k + 1], ARGV[a + 1]
  local values = redis.call('HMGET', key, unpack(fields))
  local r = {}
  for i, name in ipairs(fields) do r[name] = values[i] or '' end
  if r.registered == '' then return {} end
  r.registered, r.auth = ms(r.registered), r.auth == '' and 0 or ms(r.auth)

  if r.mark == '' and covered(r, ms(ARGV[a + 2]), unpack(ARGV, a + 3, a + 6)) then
    redis.call('HSET', key, 'mark', request)
    r.mark = request
  end
  if r.mark ~= request then return {} end
  return {r.registered, r.device, r.app, r.provider, r.token, r.session}
end)
