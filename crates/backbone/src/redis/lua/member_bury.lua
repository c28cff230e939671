-- Says that what a dead member left behind is cleared away.
-- KEYS: 1 members, 2 until when each counts as alive, 3 the last fence of those who bury, 4 until when each grave is kept
-- ARGV: 1 the fence of the lease, 2 the incarnation, 3 how long the grave is kept, in milliseconds
-- Answers with 1, 0 if the member is not dead, or nil if a later holder of the lease was here.
if tonumber(ARGV[1]) < tonumber(redis.call('GET', KEYS[3]) or '0') then
    return false
end
redis.call('SET', KEYS[3], ARGV[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local till = redis.call('ZSCORE', KEYS[2], ARGV[2])
if not till or tonumber(till) > now then
    return 0
end
redis.call('ZREM', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[4], string.format('%.0f', now + ARGV[3]), ARGV[2])
return 1
