// A Redis that ends or hangs.

import { survives } from "./assert.mjs";

survives("redis-restarted", "redis-emptied", "redis-paused");
