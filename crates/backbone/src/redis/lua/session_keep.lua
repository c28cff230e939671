-- Renews a session, and replaces what is recorded if a value is given.
-- KEYS: 1 the session
-- ARGV: 1 the fence of the hold, 2 for how long, in milliseconds, 3 the value (may be left out)
-- Answers with 'kept', 'gone' or 'taken'.
local fence = redis.call('HGET', KEYS[1], 'f')
if not fence then
    return 'gone'
end
if fence ~= ARGV[1] then
    return 'taken'
end
if ARGV[3] then
    redis.call('HSET', KEYS[1], 'd', ARGV[3])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 'kept'
