-- Writes something that ends at once.
-- KEYS: 1 a key that nobody else uses
redis.call('SET', KEYS[1], '', 'PX', 1)
return 1
