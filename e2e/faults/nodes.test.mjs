// Nodes that end, well or badly, or seem to.

import { survives } from "./assert.mjs";

survives("node-killed", "node-drained", "node-paused");
