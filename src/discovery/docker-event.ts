/** What a line of the event stream means to us. Everything else that a line says is read from the list instead. */
export type DockerEvent =
  /** Something changed. */
  | { readonly kind: "change" }
  /** A signal was sent to a container. */
  | {
      readonly kind: "kill";
      readonly id: string;
      readonly signal: number;
      /** By the engine's clock, in milliseconds since the epoch. */
      readonly atMs: number;
    }
  /** A container was started, again perhaps. */
  | { readonly kind: "start"; readonly id: string };

/** The event filter: without the three events of each health check, which nobody needs and which are most of all. */
export const EVENT_FILTERS = {
  type: ["container", "network"],
  event: [
    "create",
    "start",
    "die",
    "kill",
    "pause",
    "unpause",
    "health_status",
    "rename",
    "update",
    "destroy",
    "remove",
    "oom",
    "connect",
    "disconnect",
  ],
} as const;

/** The same, and what a manager of Docker Swarm tells of its services and nodes. */
export const SWARM_EVENT_FILTERS = {
  ...EVENT_FILTERS,
  type: [...EVENT_FILTERS.type, "service", "node"],
} as const;

/** Reads one line; one that is no event, or not one with all it should have, still says that something changed. */
export function parseDockerEvent(line: string): DockerEvent {
  const event = parseObject(line);
  const actor = event?.["Actor"];
  if (event === null || event["Type"] !== "container" || !isObject(actor)) return { kind: "change" };
  const id = actor["ID"];
  if (typeof id !== "string" || id === "") return { kind: "change" };
  if (event["Action"] === "start") return { kind: "start", id };
  const attributes = actor["Attributes"];
  const signal = isObject(attributes) ? signalNumber(String(attributes["signal"])) : undefined;
  if (event["Action"] !== "kill" || signal === undefined) return { kind: "change" };
  return { kind: "kill", id, signal, atMs: timeOf(event) };
}

const NAMES =
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";
const NUMBERS = new Map(NAMES.split(" ").map((name, index) => [name, index + 1]));
const [RTMIN, RTMAX] = [34, 64];

/**
 * The number of a Linux signal from what engines write: `15`, `SIGQUIT`, `quit`, `SIGRTMIN+3`. The engine's numbers,
 * whatever the machine is that we run on.
 */
export function signalNumber(text: string): number | undefined {
  if (/^[1-9][0-9]?$/.test(text)) return Number(text);
  const name = text.toUpperCase().replace(/^SIG/, "");
  const realTime = /^RT(MIN|MAX)(?:([+-])([0-9]{1,2}))?$/.exec(name);
  if (realTime === null) return NUMBERS.get(name);
  const [, end, sign = "+", offset = "0"] = realTime;
  return (end === "MIN" ? RTMIN : RTMAX) + (sign === "+" ? 1 : -1) * Number(offset);
}

/** `timeNano` is beyond what a JSON number can hold exactly, but not by more than a millionth of a second. */
function timeOf(event: Readonly<Record<string, unknown>>): number {
  const { timeNano, time } = event;
  if (typeof timeNano === "number") return timeNano / 1e6;
  return typeof time === "number" ? time * 1000 : 0;
}

function parseObject(line: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
