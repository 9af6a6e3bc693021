import { afterAll, beforeAll, describe } from "vitest";
import { etcdSource } from "../../src/discovery/etcd.ts";
import { startEtcd, type EtcdServer } from "../support/etcd-server.ts";
import { nullLogger } from "../support/null-logger.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { sourceContract, type ContractSubject } from "./source-contract.ts";

describe.each(["3.4", "3.5"] as const)("etcd %s", (version) => {
  let etcd: EtcdServer;
  let subjects = 0;
  beforeAll(async () => {
    etcd = await startEtcd({ version });
  });
  afterAll(() => etcd[Symbol.asyncDispose]());

  sourceContract("the etcd source", async (): Promise<ContractSubject> => {
    const prefix = `/test-${subjects++}/servers/`;
    const proxy = await startTcpProxy(etcd.port);
    const source = etcdSource({
      endpoints: [`http://${proxy.address}`],
      prefix,
      overridesPrefix: "/overrides/",
      watch: [],
      defaultBackend: "webserver",
      log: nullLogger,
    });
    return {
      source,
      want: async (names) => {
        const old = await etcd.list(prefix);
        const wanted = names.map((name) => prefix + name);
        for (const key of Object.keys(old)) if (!wanted.includes(key)) await etcd.del(key);
        for (const key of wanted) if (!(key in old)) await etcd.put(key, "10.0.0.1:80");
      },
      break: async () => {
        await proxy.refuse();
        proxy.cut();
      },
      mend: () => proxy.pass(),
      handles: () => proxy.connections,
      [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
    };
  });
});
