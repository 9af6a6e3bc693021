import { once } from "node:events";
import { createConnection } from "node:net";
import { bindAddresses } from "../core/bind-addresses.ts";

/** Time for a connection to this very host, in milliseconds. */
const CONNECT_MS = 500;

/**
 * True when somebody takes connections on a port of this configuration. A HAProxy that was told to stop softly
 * (SIGUSR1) has closed its ports along with its stats socket, and must not be asked for a reload, which would start it
 * anew; one that has only lost its stats socket still serves.
 */
export async function isServing(text: string): Promise<boolean> {
  for (const { host, port } of bindAddresses(text)) {
    const address = host === null ? "127.0.0.1" : host === "::" ? "::1" : host;
    const socket = createConnection({ host: address, port });
    try {
      await once(socket, "connect", { signal: AbortSignal.timeout(CONNECT_MS) });
      return true;
    } catch {
      // The next one.
    } finally {
      socket.destroy();
    }
  }
  return false;
}
