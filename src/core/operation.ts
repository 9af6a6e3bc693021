/** One thing that a running HAProxy is told over its socket (management guide 9.3). */
export type Operation = Readonly<{ backend: string; server: string }> &
  (
    | AddOperation
    /** Takes no new requests any more, finishes the open ones, and is deleted. */
    | { readonly kind: "remove" }
    | {
        readonly kind: "address";
        readonly address: string;
        readonly port: number;
      }
    | { readonly kind: "weight"; readonly weight: number }
    /** 0 = no limit. */
    | { readonly kind: "maxconn"; readonly maxconn: number }
    /** What its check is to say until it has checked again. */
    | { readonly kind: "health"; readonly health: "up" | "down" }
    /** Its check is switched on again. */
    | { readonly kind: "check" }
    | { readonly kind: "state"; readonly state: "ready" | "maint"; readonly checked: boolean }
  );

export interface AddOperation {
  readonly kind: "add";
  /** IP literal and port. */
  readonly address: string;
  readonly port: number;
  /** What follows the address. */
  readonly words: readonly string[];
  readonly checked: boolean;
  readonly disabled: boolean;
  /** It takes requests after its first good checks only, and HAProxy is told so when it was enabled. */
  readonly startsDown: boolean;
}

/** `backend/server`: no backend's name has a slash. */
export const keyOf = ({ backend, server }: { backend: string; server: string }): string =>
  `${backend}/${server}`;

/** For people: `add web/a 10.0.0.5:80`, `weight web/a 20`. */
export function describeOperation(operation: Operation): string {
  const key = keyOf(operation);
  switch (operation.kind) {
    case "add":
    case "address":
      return `${operation.kind} ${key} ${hostPort(operation)}`;
    case "weight":
      return `weight ${key} ${operation.weight}`;
    case "maxconn":
      return `maxconn ${key} ${operation.maxconn}`;
    case "health":
      return `health ${key} ${operation.health}`;
    case "state":
      return `${operation.state} ${key}`;
    case "check":
    case "remove":
      return `${operation.kind} ${key}`;
  }
}

/** The commands of an operation, in their order; their words are checked: none needs quotes. */
export function commandsOf(operation: Operation): readonly string[] {
  const key = keyOf(operation);
  switch (operation.kind) {
    case "add":
      return [
        ["add server", key, hostPort(operation), ...operation.words].join(" "),
        // HAProxy would check a server that is added in maintenance, as it does not for one of its file.
        ...(operation.checked && !operation.disabled ? [`enable health ${key}`] : []),
        ...(operation.disabled ? [] : [`enable server ${key}`]),
        ...(operation.startsDown ? [`set server ${key} health down`] : []),
      ];
    case "address":
      return [`set server ${key} addr ${operation.address} port ${operation.port}`];
    case "health":
      return [`set server ${key} health ${operation.health}`];
    case "weight":
      return [`set server ${key} weight ${operation.weight}`];
    case "maxconn":
      return [`set maxconn server ${key} ${operation.maxconn}`];
    case "check":
      return [`enable health ${key}`];
    case "state":
      return [
        ...(operation.checked && operation.state === "ready" ? [`enable health ${key}`] : []),
        `set server ${key} state ${operation.state}`,
      ];
    case "remove":
      return [`set server ${key} state maint`, `del server ${key}`];
  }
}

const hostPort = ({ address, port }: { address: string; port: number }): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
