-- Sets fields of a hash.
-- KEYS: 1 the hash
-- ARGV: 1 for how long in milliseconds, 0 for ever, then each field and its value
for first = 2, #ARGV, 1000 do
    redis.call('HSET', KEYS[1], unpack(ARGV, first, math.min(first + 999, #ARGV)))
end
if ARGV[1] == '0' then
    redis.call('PERSIST', KEYS[1])
else
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return 1
