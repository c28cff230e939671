// A Redis of several servers, of which one fails or hands over.

import { survives } from "./assert.mjs";

survives("sentinel-failover", "cluster-failover", "slots-moved");
