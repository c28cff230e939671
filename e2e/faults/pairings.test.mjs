// People who keep meeting, while something happens to the node that keeps the debates.

import { meets } from "./assert.mjs";

meets("keeper-killed", "keeper-drained", "keeper-paused", "keeper-parted", "debates-lost");
