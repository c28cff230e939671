-- Says that a member is there, and who else is.
-- KEYS: 1 members, a hash by incarnation, 2 until when each counts as alive, 3 until when each grave is kept
-- ARGV: 1 the incarnation, 2 the member, 3 how long it counts as alive, 4 how long the dead are listed, in milliseconds
-- Answers with the members that are alive, or nil if this one was buried.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', string.format('%.0f', now))
if redis.call('ZSCORE', KEYS[3], ARGV[1]) then
    return false
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], string.format('%.0f', now + ARGV[3]), ARGV[1])
local forgotten = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - ARGV[4]), 'LIMIT', 0, 100)
if #forgotten > 0 then
    redis.call('ZREM', KEYS[2], unpack(forgotten))
    redis.call('HDEL', KEYS[1], unpack(forgotten))
end
local alive = redis.call('ZRANGEBYSCORE', KEYS[2], string.format('(%.0f', now), '+inf', 'LIMIT', 0, 4096)
return redis.call('HMGET', KEYS[1], unpack(alive))
