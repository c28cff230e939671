// The other parts of a fleet, real ones on free ports: a Redis server, and nginx that hands each request to the next node.

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { end, spawn } from "../children.mjs";
import { within } from "../deadline.mjs";

const e2e = path.join(path.dirname(fileURLToPath(import.meta.url)), "..");

/** Milliseconds that a part has to take connections. */
const START_MAX = 10_000;

/** The fetched program, or the one that is installed. */
function program(fetched, installed) {
  const local = path.join(e2e, fetched);
  return existsSync(local) ? local : installed;
}

/** The Redis server. */
export const REDIS = program(".redis/redis-server", "redis-server");
const NGINX = program(".nginx/usr/sbin/nginx", "nginx");

/** A port that was free a moment ago. */
export async function freePort() {
  const server = net.createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** The time between two looks. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Runs a program until `kill`, and waits until it takes connections on its port. */
export async function start(program, args, port) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
  const gone = child.gone.then((how) => {
    throw new Error(`${program}, which scripts/setup fetches, ended (${how}):\n${child.output}`);
  });
  gone.catch(() => {});
  const ready = async () => {
    while (!(await accepts(port))) await pause();
  };
  await within(Promise.race([ready(), gone]), `${program} on port ${port}`, START_MAX);
  return {
    /** Stops or continues it. */
    signal: (name) => child.kill(name),
    /** Ends it by a signal and waits for that. */
    kill: (signal) => end(child, signal),
  };
}

/** Starts on the wanted port, or a free one; that may be taken by somebody else before it is used, so it tries again. */
export async function onFreePort(start, wanted) {
  for (let left = 4; ; left--) {
    try {
      return await start(wanted || (await freePort()));
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

/** A Redis server that keeps nothing on disk, with a password where one is given. */
export function startRedis(password) {
  return onFreePort(async (port) => {
    const login = password ? ["--requirepass", password] : [];
    const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", os.tmpdir(), ...login];
    let server = await start(REDIS, args, port);
    return {
      url: `redis://${password ? `:${password}@` : ""}127.0.0.1:${port}`,
      /** Ends it as a crash does. */
      crash: () => server.kill("SIGKILL"),
      /** Starts it again where it was, with nothing in it. */
      restart: async () => (server = await start(REDIS, args, port)),
      close: () => server.kill("SIGKILL"),
    };
  });
}

/** nginx in front of some ports, on one that is wanted or free: each request to the next, whatever session it is of. */
export async function startNginx(ports, wanted) {
  const folder = await mkdtemp(path.join(os.tmpdir(), "throng-nginx-"));
  const log = path.join(folder, "requests");
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`);
  const proxy = await onFreePort(async (port) => {
    const config = `
      daemon off;
      worker_processes 2;
      pid ${folder}/pid;
      error_log stderr warn;
      events { worker_connections 4096; }
      http {
        ${paths.join("\n")}
        log_format requests '$status $upstream_addr $request_method $args';
        access_log ${log} requests;
        upstream nodes {
          ${ports.map((port) => `server 127.0.0.1:${port} max_fails=0;`).join("\n")}
          keepalive 64;
        }
        map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
        server {
          listen 127.0.0.1:${port};
          client_max_body_size 0;
          location / {
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            proxy_next_upstream off;
            proxy_buffering off;
            proxy_request_buffering off;
          }
        }
      }`;
    const file = path.join(folder, "nginx.conf");
    await writeFile(file, config);
    const server = await start(NGINX, ["-p", folder, "-c", file, "-e", "stderr"], port);
    return { port, server };
  }, wanted);
  return {
    port: proxy.port,
    url: `http://127.0.0.1:${proxy.port}`,
    /** Every answered request so far, as `{status, node, method, query}`; `node` is the position of its port. */
    async requests() {
      const lines = (await readFile(log, "utf8")).trimEnd().split("\n");
      return lines.map((line) => {
        const [status, upstream, method, query] = line.split(" ");
        return { status: Number(status), node: ports.indexOf(Number(upstream.split(":")[1])), method, query };
      });
    },
    async close() {
      await proxy.server.kill("SIGTERM");
      await rm(folder, { recursive: true, force: true });
    },
  };
}
