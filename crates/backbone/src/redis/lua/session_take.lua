-- Takes a session over from a hold.
-- KEYS: 1 the session
-- ARGV: 1 the fence of the hold, 2 for how long, in milliseconds
-- Answers with {'kept', fence, value}, {'gone'} or {'taken'}.
local there = redis.call('HMGET', KEYS[1], 'f', 'd')
if not there[1] then
    return {'gone'}
end
if there[1] ~= ARGV[1] then
    return {'taken'}
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local fence = string.format('%.0f', math.max(now, tonumber(there[1]) + 1))
redis.call('HSET', KEYS[1], 'f', fence)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'kept', fence, there[2]}
