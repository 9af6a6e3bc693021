import { join } from "node:path";
import { dirtyFlag } from "../lib/dirty-flag.ts";
import { watchFile } from "../lib/watch-file.ts";
import type { StateFolder } from "./state-folder.ts";

/** What an operator told the daemon through its state folder; who may write there may command it. */
export interface Orders {
  /** HAProxy is to run this entry of the history, whatever the sources say; null = what they say. */
  readonly pin: { readonly entry: number; readonly atMs: number } | null;
  /** Held servers that are to be let go; each is an order of its own, told apart by its number. */
  readonly releases: readonly Release[];
}

export interface Release {
  readonly number: number;
  readonly atMs: number;
  /** `BACKEND/NAME`; null = all. */
  readonly server: string | null;
}

const NAME = "orders";
const MAX_RELEASES = 100;
const NO_ORDERS: Orders = { pin: null, releases: [] };

/** @param known what stands when they cannot be read just now. */
export async function readOrders(folder: StateFolder, known = NO_ORDERS): Promise<Orders> {
  const value = (await folder.read(NAME, known)) as Partial<Orders> | null;
  const { pin = null, releases = [] } = value ?? NO_ORDERS;
  const isPin = pin === null || (Number.isSafeInteger(pin.entry) && Number.isFinite(pin.atMs));
  const isWhole = isPin && Array.isArray(releases) && releases.every(isRelease);
  return isWhole ? { pin, releases } : NO_ORDERS;
}

const isRelease = ({ number, server }: Partial<Release>): boolean =>
  Number.isSafeInteger(number) && (server === null || typeof server === "string");

/** Pins the configuration to an entry of the history, or ends that with null. */
export async function orderPin(folder: StateFolder, pin: Orders["pin"]): Promise<void> {
  await folder.write(NAME, { ...(await readOrders(folder)), pin });
}

export async function orderRelease(
  folder: StateFolder,
  given: { server: string | null; nowMs: number },
): Promise<void> {
  const orders = await readOrders(folder);
  const number = (orders.releases.at(-1)?.number ?? 0) + 1;
  const release: Release = { number, atMs: given.nowMs, server: given.server };
  await folder.write(NAME, { ...orders, releases: [...orders.releases, release].slice(-MAX_RELEASES) });
}

/** Hands over the orders, first as they are and then after each change, until `signal` aborts. */
export async function followOrders(given: {
  folder: StateFolder;
  /** What is known of them. */
  first: Orders;
  onOrders: (orders: Orders) => Promise<void>;
  signal: AbortSignal;
}): Promise<void> {
  const { folder, onOrders, signal } = given;
  const changed = dirtyFlag();
  watchFile(join(folder.path, `${NAME}.json`), changed.poke, { signal });
  let orders = given.first;
  do {
    orders = await readOrders(folder, orders);
    await onOrders(orders);
  } while ((await changed.wait(signal)) === "poked");
}
