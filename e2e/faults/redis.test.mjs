// A Redis that ends, is full or hangs.

import { survives } from "./assert.mjs";

survives("redis-restarted", "redis-rewound", "redis-emptied", "redis-full", "redis-paused");
