-- Records a session, in place of one of that name.
-- KEYS: 1 the session, a hash of f (fence) and d (value)
-- ARGV: 1 the value, 2 for how long, in milliseconds
-- Answers with the fence: at least the time in microseconds, so that it grows even when the session had ended.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('HGET', KEYS[1], 'f') or '0')
local fence = string.format('%.0f', math.max(now, last + 1))
redis.call('HSET', KEYS[1], 'f', fence, 'd', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return fence
