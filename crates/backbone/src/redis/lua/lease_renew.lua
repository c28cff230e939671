-- Holds on to a lease.
-- KEYS: 1 the lease
-- ARGV: 1 its fence, 2 for how long, in milliseconds
-- Answers with 1, or 0 if it is not held under this fence.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
