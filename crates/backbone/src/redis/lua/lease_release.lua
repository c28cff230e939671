-- Gives a lease back.
-- KEYS: 1 the lease
-- ARGV: 1 its fence
-- Answers with 1, or 0 if it is not held under this fence.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
return redis.call('DEL', KEYS[1])
