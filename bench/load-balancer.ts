import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { haproxyBinary } from "../scripts/lab/haproxy.ts";
import type { EtcdServer } from "../test/support/etcd-server.ts";
import { freePort } from "../test/support/free-port.ts";
import { startHaproxy } from "../test/support/haproxy-process.ts";
import { rollcall, type RollcallProcess, startRollcall } from "../test/support/rollcall-process.ts";
import { untilReady } from "./actors.ts";
import { configFor } from "./bare-haproxy.ts";

/** A small HAProxy 3.2 (one thread, 50 connections) and a Rollcall beside it. */
export interface LoadBalancer extends AsyncDisposable {
  readonly dir: string;
  readonly url: string;
  readonly configFile: string;
  readonly daemon: RollcallProcess;
}

const TEMPLATE = fileURLToPath(new URL("../templates/haproxy.cfg.eta", import.meta.url));

/**
 * Starts one in a new folder of this name and waits until it is ready. Its first configuration is made from that of
 * `like`, which takes much less time than to render it.
 */
export async function startLoadBalancer(given: {
  dir: string;
  etcd: EtcdServer;
  like?: LoadBalancer;
}): Promise<LoadBalancer> {
  await using cleanup = new AsyncDisposableStack();
  const { dir, etcd, like } = given;
  mkdirSync(dir);
  const port = await freePort();
  const [template, configFile] = [join(dir, "template.eta"), join(dir, "haproxy.cfg")];
  writeFileSync(template, small(readFileSync(TEMPLATE, "utf8"), port));
  const options = {
    "etcd-endpoints": `http://${etcd.endpoint}`,
    docker: "off",
    template,
    "haproxy-bin": await haproxyBinary("3.2"),
    "haproxy-config": configFile,
    "haproxy-socket": join(dir, "admin.sock"),
    "log-level": "info",
  };
  const url = `http://127.0.0.1:${port}`;
  if (like === undefined) await render(options);
  else writeFileSync(configFile, configFor({ dir, url }, like));
  cleanup.use(await startHaproxy({ version: "3.2", configFile, dir }));
  const daemon = cleanup.use(await startRollcall({ dir, options }));
  await untilReady({ daemon });
  const owned = cleanup.move();
  return {
    dir,
    url,
    configFile,
    daemon,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function render(options: Readonly<Record<string, string>>): Promise<void> {
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const { code, stderr } = await rollcall(["render", "--write", "--from", "/dev/null", ...flags]);
  if (code !== 0) throw new Error(`rollcall render: ${stderr}`);
}

/** The default template with its own port, one thread and few connections. */
function small(template: string, port: number): string {
  const replaced = template
    .replace(/<%= it\.getenv\("HAPROXY_BIND".*?%>/, `127.0.0.1:${port}`)
    .replace(/maxconn <%= it\.getenv\("HAPROXY_MAXCONN".*?%>/, "maxconn 50\n    nbthread 1");
  if (!/nbthread 1$/m.test(replaced) || !replaced.includes(`127.0.0.1:${port}`))
    throw new Error("the default template no longer reads HAPROXY_BIND and HAPROXY_MAXCONN");
  return replaced;
}
