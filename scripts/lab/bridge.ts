import { createHash } from "node:crypto";
import { execa } from "execa";
import { withLock } from "./lock.ts";

/** A network bridge for one Docker engine, and the private network 10.x.0.0/16 that belongs to it alone. */
export interface Bridge {
  name: string;
  /** The x. */
  octet: number;
}

/** Name of the bridge that belongs to a folder: the same folder has the same one, another folder another. */
export function bridgeName(folder: string): string {
  return `rc${createHash("sha256").update(folder).digest("hex").slice(0, 8)}`;
}

/** Creates the bridge with a network that nothing on this machine uses yet; an existing one stays as it is. */
export function ensureBridge(name: string): Promise<Bridge> {
  return withLock("bridges", async () => {
    const { stdout: addresses } = await ip("-o", "-4", "addr");
    const { stdout: routes } = await ip("-4", "route", "show", "table", "all");
    const existing = new RegExp(`\\b${name}\\s+inet 10\\.(\\d+)\\.`).exec(addresses)?.[1];
    if (existing !== undefined) return { name, octet: Number(existing) };
    await removeLink(name); // Left without an address by a set-up that was interrupted.
    const octet = freeOctet(name, addresses + routes);
    await ip("link", "add", name, "type", "bridge");
    await ip("addr", "add", `10.${octet}.0.1/24`, "dev", name);
    await ip("link", "set", name, "up");
    return { name, octet };
  });
}

function freeOctet(name: string, taken: string): number {
  const first = Number.parseInt(name.slice(2), 16) % 100;
  for (let n = 0; n < 100; n++) {
    const octet = 100 + ((first + n) % 100);
    if (!taken.includes(` 10.${octet}.`)) return octet;
  }
  throw new Error("All networks from 10.100.0.0/16 to 10.199.0.0/16 are in use on this machine.");
}

/** Removes the bridge, the bridges of networks that its engine made, and all packet filter rules about them. */
export async function removeBridge({ name, octet }: Bridge): Promise<void> {
  const { stdout } = await ip("-o", "-4", "addr");
  const ours = new RegExp(`^\\d+: (\\S+)\\s+inet 10\\.${octet}\\.`, "gm");
  const links = new Set([name, ...[...stdout.matchAll(ours)].map((match) => match[1] ?? name)]);
  for (const link of links) await removeLink(link);
  for (const table of ["filter", "nat"]) await removeRules(table, [...links, `10.${octet}.`]);
}

async function removeRules(table: string, words: readonly string[]): Promise<void> {
  const { stdout } = await execa("iptables", ["-w", "-t", table, "-S"], { reject: false });
  for (const rule of stdout.split("\n")) {
    if (!rule.startsWith("-A ") || !words.some((word) => rule.includes(` ${word}`))) continue;
    const args = ["-w", "-t", table, "-D", ...rule.slice(3).split(" ")];
    await execa("iptables", args, { reject: false }); // Another engine may have removed it.
  }
}

async function removeLink(name: string): Promise<void> {
  await execa("ip", ["link", "delete", name], { reject: false }); // It may not exist.
}

function ip(...args: string[]) {
  return execa("ip", args);
}
