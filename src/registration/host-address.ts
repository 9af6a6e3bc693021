import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { accept, refuse, type Result } from "../core/result.ts";
import { messageOf } from "../lib/errors.ts";

/** The address of its own from which this machine sends to etcd; `to` is etcd's, as the operator wrote it. */
export interface RouteToEtcd {
  readonly address: string;
  readonly to: string;
}

/**
 * Asks the kernel from which of its addresses this machine would send to etcd; nothing is sent. The first member counts
 * that is on another machine. Refused when all of them are on this one.
 * @param endpoints `http://HOST:PORT`
 * @throws Error when there is no route to any of them, or no name could be resolved: that may end by itself.
 */
export async function routeToEtcd(endpoints: readonly string[]): Promise<Result<RouteToEtcd>> {
  const failures: string[] = [];
  let here = "";
  for (const { host, port } of endpoints.map(placeOf)) {
    try {
      const address = await sourceAddress(host, port);
      if (!isLoopback(address)) return accept({ address, to: host });
      here = host;
    } catch (thrown) {
      failures.push(`${host}: ${messageOf(thrown)}`);
    }
  }
  if (here === "")
    throw new Error(`there is no route to etcd, so this host's address is not known: ${failures.join("; ")}`);
  return refuse(`etcd at ${here} is on this machine, so the route to it does not tell this host's address`);
}

/** Connecting a UDP socket makes the kernel choose a route, and with it the source address. */
async function sourceAddress(host: string, port: number): Promise<string> {
  const { address, family } = await lookup(host);
  const socket = createSocket(family === 6 ? "udp6" : "udp4");
  try {
    const connected = once(socket, "connect");
    socket.connect(port, address);
    await connected;
    return socket.address().address;
  } finally {
    socket.close();
  }
}

function placeOf(endpoint: string): { host: string; port: number } {
  const url = new URL(endpoint);
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  return { host: url.hostname.replace(/^\[(.*)\]$/, "$1"), port };
}

const isLoopback = (address: string): boolean => address === "::1" || address.startsWith("127.");
