import { parsePort } from "./address.ts";

/** Puts labels under our prefix beside those of a container, which always win. */
export interface LabelAdder {
  /** Whether the container itself says so, for this port or for all. */
  has(name: string, port?: number | null): boolean;
  /** Does nothing where the container itself says so. */
  add(name: string, value: string, port?: number | null): void;
  /** Ports that the container's own labels name. */
  readonly ports: ReadonlySet<number>;
  /** All labels, the added ones included. */
  labels(): ReadonlyMap<string, string>;
}

export function labelAdder(own: ReadonlyMap<string, string>, prefix: string): LabelAdder {
  const labels = new Map(own);
  const key = (name: string, port?: number | null): string =>
    port === undefined || port === null ? `${prefix}.${name}` : `${prefix}.${port}.${name}`;
  const has = (name: string, port?: number | null): boolean => own.has(key(name)) || own.has(key(name, port));
  return {
    has,
    add: (name, value, port) => void (has(name, port) || labels.set(key(name, port), value)),
    ports: portsOf(own, prefix),
    labels: () => labels,
  };
}

function portsOf(own: ReadonlyMap<string, string>, prefix: string): ReadonlySet<number> {
  const ports = new Set<number>();
  for (const [label, value] of own) {
    if (!label.startsWith(`${prefix}.`)) continue;
    const name = label.slice(prefix.length + 1);
    const text = name === "port" ? value : name.slice(0, Math.max(0, name.indexOf(".")));
    const port = parsePort(text);
    if (port.ok) ports.add(port.value);
  }
  return ports;
}
