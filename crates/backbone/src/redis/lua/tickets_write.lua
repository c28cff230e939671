-- Writes a batch of commits. Each takes records that must be there, removes records, and puts records: all of it, or nothing.
-- KEYS: 1 the keeper (see tickets_open), 2 the tickets, a hash
-- ARGV: 1 the fence, 2 the fence before (the same unless the lease was got back), 3 the opening, 4 the number of the batch, 5 for
--       how long to keep all of it, in milliseconds; then of each commit: how many it takes, removes and puts, the keys that it
--       takes, those that it removes, and each key that it puts with its value
-- Answers with 'd' (done) or 'l' (lost) for each commit, the same when the batch came before; or 'superseded' when the tickets
-- are somebody else's; or 'behind' when something that was written before is not there.
local fence, prior, opening, number = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local there = redis.call('HMGET', KEYS[1], 'f', 'o', 'b', 'a')
local held, opened, last = tonumber(there[1] or '-1'), tonumber(there[2] or '0'), tonumber(there[3] or '-1')
if held > prior and held ~= fence then
    return 'superseded'
end
if held < prior or opened < opening then
    return 'behind'
end
if opened > opening or last > number then
    return 'superseded'
end
if last == number then
    return there[4]
end
if last < number - 1 then
    return 'behind'
end

-- More would not fit on the stack.
local function remove(first, count)
    for from = first, first + count - 1, 1000 do
        redis.call('HDEL', KEYS[2], unpack(ARGV, from, math.min(from + 999, first + count - 1)))
    end
end

local answers = {}
local at = 6
while at <= #ARGV do
    local takes, removes, puts = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
    local first = at + 3
    local answer = 'd'
    for key = first, first + takes - 1 do
        if redis.call('HEXISTS', KEYS[2], ARGV[key]) == 0 then
            answer = 'l'
            break
        end
    end
    local put = first + takes + removes
    at = put + 2 * puts
    if answer == 'd' then
        remove(first, takes + removes)
        for from = put, at - 1, 1000 do
            redis.call('HSET', KEYS[2], unpack(ARGV, from, math.min(from + 999, at - 1)))
        end
    end
    answers[#answers + 1] = answer
end
local answer = table.concat(answers)
redis.call('HSET', KEYS[1], 'f', ARGV[1], 'b', ARGV[4], 'a', answer)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
return answer
