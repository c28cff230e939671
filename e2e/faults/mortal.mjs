// A node that a scenario may end or stop: in the end it is closed all the same, unless it is gone.

import { startServer } from "../server.mjs";

/** Starts a node, the fixture unless another program is named; what has to be closed goes to `opened`. */
export async function startMortal(env, { program, opened }) {
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
