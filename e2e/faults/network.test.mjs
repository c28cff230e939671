// A network between nodes and Redis that is slow or broken.

import { survives } from "./assert.mjs";

survives("network-slow", "network-cut", "network-parted");
