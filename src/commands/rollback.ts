import { askDaemon } from "../ask-daemon.ts";
import { isAgentStatus } from "../observe/ask-status.ts";
import { readStamp } from "../core/stamp.ts";
import { messageOf } from "../lib/errors.ts";
import { sleep } from "../lib/sleep.ts";
import { openState } from "../open-state.ts";
import { readHistory } from "../state/history.ts";
import { orderPin, readOrders } from "../state/orders.ts";
import { type Command, CommandError, type Context, EXIT } from "./command.ts";
import { parseEntry } from "./history.ts";

const WAIT_MS = 30_000;
const ASK_EVERY_MS = 200;

async function execute(context: Context): Promise<number> {
  const { args, flags } = context;
  const isRelease = flags.has("release");
  const [given] = args;
  if (isRelease === (given !== undefined)) {
    throw new CommandError("give the number of an entry, or --release, and not both", EXIT.usage);
  }
  const folder = await openState(context);
  const entry = isRelease ? null : Number(given);
  const text = entry === null ? null : await (await readHistory(folder)).text(entry);
  if (entry !== null && text === null) {
    throw new CommandError(`the history has no entry ${entry}: "rollcall history" lists them`, EXIT.failed);
  }
  if (entry === null && (await readOrders(folder)).pin === null) {
    context.print("nothing is rolled back: what the sources say is followed");
    return EXIT.good;
  }
  const atMs = Date.now();
  await orderPin(folder, entry === null ? null : { entry, atMs });
  return follow(context, { entry, text, atMs });
}

interface Order {
  readonly entry: number | null;
  /** Of the entry. */
  readonly text: string | null;
  readonly atMs: number;
}

/** Tells what becomes of the order, as far as the daemon can be asked. */
async function follow(context: Context, order: Order): Promise<number> {
  const { print, signal } = context;
  const done =
    order.entry === null
      ? "what the sources say is followed again"
      : `HAProxy runs entry ${order.entry}; "rollcall rollback --release" ends that`;
  const ended = AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS)]);
  let why = "";
  while (!ended.aborted) {
    const state = await lookAt(context, order).catch((error: unknown) => messageOf(error));
    if (state === null) {
      print(done);
      return EXIT.good;
    }
    why = state;
    await sleep(ASK_EVERY_MS, ended);
  }
  print(`ordered, but not seen to be done yet: ${why}`);
  return EXIT.failed;
}

/** null = it is done; else why it is not. */
async function lookAt({ config, signal }: Context, order: Order): Promise<string | null> {
  const { status } = await askDaemon({ config, url: null, signal });
  if (isAgentStatus(status)) return "an agent answers there, not the daemon";
  if ((status.rolledBack?.entry ?? null) !== order.entry) return "the daemon has not taken the order yet";
  const last = status.lastPass;
  if (last === null || Date.parse(last.at) < order.atMs) return "the daemon has made no pass since";
  const isDone = last.kind === "applied" || last.kind === "unchanged";
  if (!isDone) return `its last pass is ${last.kind}: ${last.reason ?? last.reasons[0]?.what ?? ""}`;
  if (order.text === null) return null;
  // A pass that had begun before the daemon took the order proves nothing.
  return readStamp(order.text).digest === (status.applied?.digest ?? null)
    ? null
    : "HAProxy runs another text";
}

export const rollback: Command = {
  name: "rollback",
  summary: "make HAProxy run an earlier configuration, whatever the sources say, until it is released",
  description: `Tells the running daemon, through its state folder, to bring HAProxy to run an entry of the history: over the socket
where it can, by a reload where it must, checked and proven as any other. From then on changes of etcd, Docker and the
file are not applied, which /readyz and "rollcall status" tell, until "rollcall rollback --release"; also over restarts.
Waits until it is done, and says so.`,
  arguments: [{ name: "N", help: "the entry's number in the history", count: "optional", parse: parseEntry }],
  flags: { release: { value: null, help: "follow what the sources say again" } },
  examples: ["rollcall history", "rollcall rollback 17", "rollcall rollback --release"],
  needsConfig: true,
  run: execute,
};
