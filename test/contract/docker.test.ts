import { dockerSourceLab, WITHOUT_NETWORK } from "../support/docker-source-lab.ts";
import type { TestContainer } from "../support/test-container.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { sourceContract, type ContractSubject } from "./source-contract.ts";

sourceContract("the Docker source", async (): Promise<ContractSubject> => {
  const docker = await dockerSourceLab();
  const proxy = await startTcpProxy(docker.lab.dockerHost.replace("unix://", ""));
  const running = new Map<string, TestContainer>();
  return {
    source: docker.source({ host: `tcp://${proxy.address}` }),
    want: async (names) => {
      for (const name of names) {
        if (!running.has(name)) running.set(name, await docker.serve(name, WITHOUT_NETWORK));
      }
      for (const [name, container] of running) {
        if (names.includes(name)) continue;
        await container.remove();
        running.delete(name);
      }
    },
    break: async () => {
      await proxy.refuse();
      proxy.cut();
    },
    mend: () => proxy.pass(),
    handles: () => proxy.connections,
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await docker[Symbol.asyncDispose]();
    },
  };
});
