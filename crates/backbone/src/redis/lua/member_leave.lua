-- Takes a member out.
-- KEYS: 1 members, 2 until when each counts as alive
-- ARGV: 1 the incarnation
redis.call('HDEL', KEYS[1], ARGV[1])
return redis.call('ZREM', KEYS[2], ARGV[1])
