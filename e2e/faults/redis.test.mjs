// A Redis that ends or hangs.

import { survives } from "./assert.mjs";

survives("redis-restarted", "redis-rewound", "redis-emptied", "redis-paused");
