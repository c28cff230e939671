// Nodes that a scenario may end or stop, and what else it opens: in the end all is closed, unless it is gone.

import { met } from "../fleet/fleet.mjs";
import { startServer } from "../server.mjs";
import { startNetwork } from "./network.mjs";

const NODES = 3;

/** Acts, and closes what it has opened, the last first and all of it, whatever fails; the first failure counts. */
export async function closingAfter(act) {
  const [opened, failures] = [[], []];
  const attempt = async (step) => {
    try {
      return await step();
    } catch (error) {
      failures.push(error);
    }
  };
  const result = await attempt(() => act(opened));
  for (const close of opened.reverse()) await attempt(close);
  if (failures.length > 0) throw failures[0];
  return result;
}

/** Starts three nodes on a Redis, each with a network of its own in between where that may break; gives both. */
export async function startNodes({ redis, isBetween }, env, { program, opened }) {
  const networks = [];
  const start = async (at) => {
    if (isBetween) {
      networks[at] = await startNetwork(redis.server.port);
      opened.push(() => networks[at].close());
    }
    const store = isBetween ? { REDIS_URL: networks[at].url } : redis.env;
    return startMortal({ ...store, ...env }, { program, opened });
  };
  const nodes = await Promise.all(Array.from({ length: NODES }, (_, at) => start(at)));
  await met(nodes.map(({ url }) => url), NODES);
  return { nodes, networks };
}

/** Starts a node, the fixture unless another program is named; what has to be closed goes to `opened`. */
async function startMortal(env, { program, opened }) {
  const node = await startServer(env, program);
  const own = { ...node, isGone: false, excuse: () => {} };
  /** Ends it by a signal. */
  own.end = async (signal) => {
    own.excuse();
    own.isGone = true;
    await node.close(signal);
  };
  opened.push(async () => {
    node.signal("SIGCONT");
    if (!own.isGone) await node.close();
  });
  return own;
}
