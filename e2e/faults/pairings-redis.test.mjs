// People who keep meeting, while something happens to Redis, or to the way there.

import { meets } from "./assert.mjs";

meets("debates-redis-restarted", "debates-redis-emptied", "debates-redis-paused", "debates-network-slow", "debates-network-cut");
