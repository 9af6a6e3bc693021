import { beforeAll } from "vitest";
import { ensureImages } from "../../scripts/lab/images.ts";
import { sharedEngine, type SharedEngine } from "../../scripts/lab/shared-engine.ts";
import { dockerSource } from "../../src/discovery/docker.ts";
import { dockerContainers, withoutNetwork } from "../support/docker-containers.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { sourceContract, type ContractSubject } from "./source-contract.ts";

let engine: SharedEngine;
beforeAll(async () => {
  engine = await sharedEngine();
  await ensureImages(engine, ["app"]);
});

sourceContract("the Docker source", async (): Promise<ContractSubject> => {
  const containers = dockerContainers(engine);
  const proxy = await startTcpProxy(engine.dockerHost.replace("unix://", ""));
  const ids = new Map<string, string>();
  const settings = {
    source: "docker",
    labelPrefix: containers.prefix,
    enableByDefault: false,
    defaultBackend: "webserver",
    network: null,
  };
  return {
    source: dockerSource({ connection: { host: `tcp://${proxy.address}` }, settings, now: Date.now }),
    want: async (names) => {
      const missing = names.filter((name) => !ids.has(name));
      for (const name of missing) ids.set(name, await containers.run({ ...withoutNetwork, name }));
      const extra = [...ids].filter(([name]) => !names.includes(name));
      if (extra.length > 0) await containers.cli("rm", "-f", ...extra.map(([, id]) => id));
      for (const [name] of extra) ids.delete(name);
    },
    break: async () => {
      await proxy.refuse();
      proxy.cut();
    },
    mend: () => proxy.pass(),
    handles: () => proxy.connections,
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await containers[Symbol.asyncDispose]();
    },
  };
});
