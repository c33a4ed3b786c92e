-- Marks push registrations that a request covers.
-- KEYS of each: the registration.
-- ARGV of each: request id, the latest time that is covered (the cutoff, or that
-- of the one registration), scope, device, app, session.
-- Returns of each the registration where it bears the mark; 0 and the latest of
-- its times, the clock, its device and app where it is not covered, but that
-- time is ahead of the clock; else nothing.
local fields = {'mark', 'registered', 'auth', 'device', 'app', 'provider', 'token', 'session'}

local at = now()

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

  if r.mark == '' then
    local latest = math.max(r.registered, r.auth)
    if covered(r, ms(ARGV[a + 2]), unpack(ARGV, a + 3, a + 6)) then
      redis.call('HSET', key, 'mark', request)
      r.mark = request
    elseif ahead(latest, at) and covered(r, latest, unpack(ARGV, a + 3, a + 6)) then
      return {0, latest, at, r.device, r.app}
    end
  end
  if r.mark ~= request then return {} end
  return {r.registered, r.device, r.app, r.provider, r.token, r.session}
end)
