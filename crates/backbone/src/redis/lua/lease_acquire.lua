-- Takes a lease if nobody has it.
-- KEYS: 1 the lease, 2 the last fence of its name
-- ARGV: 1 for how long, in milliseconds
-- Answers with the fence, or nil if it is held. A fence is at least the time in microseconds, so that it grows even when
-- the last one was lost.
if redis.call('EXISTS', KEYS[1]) == 1 then
    return false
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local fence = string.format('%.0f', math.max(now, last + 1))
redis.call('SET', KEYS[2], fence)
redis.call('SET', KEYS[1], fence, 'PX', ARGV[1])
return fence
