-- Writes tickets anew that were lost: 'begin' forgets what is there, each 'page' adds records, and 'end' makes them count.
-- KEYS: 1 the keeper (see tickets_open; n is the number of the batch for which it is written anew), 2 the tickets
-- ARGV: 1 the fence, 2 the fence before, 3 the opening, 4 the number of the batch that is to come next, 5 for how long to keep
--       all of it, in milliseconds, 6 the step; for a page, then each key with its value, at most 1,000
-- Answers with 'written'; 'superseded' when the tickets are somebody else's; 'behind' when what was begun was lost again.
local fence, prior, opening = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local there = redis.call('HMGET', KEYS[1], 'f', 'o', 'b', 'n')
local held, opened = tonumber(there[1] or '-1'), tonumber(there[2] or '0')
if held > prior and held ~= fence then
    return 'superseded'
end
if held >= prior and opened > opening then
    return 'superseded'
end
if ARGV[6] == 'begin' then
    redis.call('DEL', KEYS[1])
    redis.call('UNLINK', KEYS[2])
    redis.call('HSET', KEYS[1], 'f', ARGV[1], 'o', ARGV[3], 'n', ARGV[4])
else
    -- A page that comes late, when all has been written, must not bring back what has gone since.
    if held ~= fence or opened ~= opening or there[3] or there[4] ~= ARGV[4] then
        return 'behind'
    end
    if ARGV[6] == 'page' then
        redis.call('HSET', KEYS[2], unpack(ARGV, 7))
        redis.call('PEXPIRE', KEYS[2], ARGV[5])
    else
        redis.call('HSET', KEYS[1], 'b', string.format('%.0f', tonumber(ARGV[4]) - 1))
    end
end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'written'
