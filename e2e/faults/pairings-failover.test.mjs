// People who keep meeting, on a Redis of several servers, of which one fails or hands over.

import { meets } from "./assert.mjs";

meets("debates-sentinel-rewound", "debates-cluster-failover", "debates-slots-moved");
