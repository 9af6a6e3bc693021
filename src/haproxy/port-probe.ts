import { once } from "node:events";
import { createServer } from "node:net";
import { type BindAddress, bindAddresses } from "../core/bind-addresses.ts";
import { HaproxyError } from "./haproxy-error.ts";

/**
 * Makes sure that every port that the candidate adds can be had. HAProxy finds that out only during the
 * reload, and then refuses connections on all its ports for about two seconds before it goes on with the old worker.
 * @param texts.live the text whose ports HAProxy may have open already.
 * @throws HaproxyError `failed`, since the port may become free.
 */
export async function probeNewPorts(texts: { live: string; candidate: string }): Promise<void> {
  const key = ({ host, port }: BindAddress): string => `${host ?? "*"} ${port}`;
  const open = new Set(bindAddresses(texts.live).map(key));
  const openPorts = new Set(bindAddresses(texts.live).map(({ port }) => port));
  for (const address of bindAddresses(texts.candidate)) {
    // Another address with a port that HAProxy has open may be covered by its own listener: nothing can be told.
    if (open.has(key(address)) || openPorts.has(address.port)) continue;
    const why = await refusal(address);
    if (why === null) continue;
    const where = `port ${address.port} of "bind" in line ${address.line}`;
    const options = { stage: "check", kind: "failed" } as const;
    throw new HaproxyError(`${where} ${why}; a reload would stop HAProxy for two seconds`, options);
  }
}

/** Why the kernel would not let anybody listen there now; whatever else is wrong with it, HAProxy shall say. */
async function refusal({ host, port }: BindAddress): Promise<string | null> {
  const server = createServer();
  try {
    server.listen({ host: host ?? "0.0.0.0", port, exclusive: true });
    await once(server, "listening");
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") return "is taken by another process";
    return code === "EADDRNOTAVAIL" ? `is on an address that this host does not have (${host})` : null;
  } finally {
    if (server.listening) {
      server.close();
      await once(server, "close");
    }
  }
}
