-- Those who are dead and not buried.
-- KEYS: 1 members, 2 until when each counts as alive, 3 the last fence of those who bury
-- ARGV: 1 the fence of the lease
-- Answers with the members, or nil if a later holder of the lease was here.
if tonumber(ARGV[1]) < tonumber(redis.call('GET', KEYS[3]) or '0') then
    return false
end
redis.call('SET', KEYS[3], ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local dead = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now), 'LIMIT', 0, 4096)
if #dead == 0 then
    return {}
end
return redis.call('HMGET', KEYS[1], unpack(dead))
