import type { HaproxyProcess } from "./haproxy-control.ts";

/** A server as a HAProxy runs it at this moment, as far as its socket tells. */
export interface RunningServer {
  readonly backend: string;
  readonly name: string;
  /** IP literal, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  /** Present weight; 0 takes no new connections. */
  readonly weight: number;
  /** Forced into maintenance, by the socket or by `disabled` in the file. */
  readonly maint: boolean;
  /** `set server … state drain`; weight 0 is not this. */
  readonly drain: boolean;
  /** Whether its health is checked, and where if not at its own address. */
  readonly check: boolean;
  readonly checkPlace: string;
  readonly rise: string;
  readonly fall: string;
  readonly ssl: boolean;
  readonly backup: boolean;
  /** "" = unlimited. */
  readonly maxconn: string;
  readonly cookie: string;
}

/** Bits of srv_admin_state and srv_check_state, from HAProxy's include/haproxy/server-t.h and check-t.h. */
const MAINT = 0x01 | 0x02 | 0x20 | 0x40; // 0x04 only says that the file had `disabled`.
const DRAIN = 0x08;
const CHECK_CONFIGURED_AND_ENABLED = 0x02 | 0x04;

/** All servers of a HAProxy, sorted by backend and name; one that stands there twice is told twice. */
export async function runningServers(
  haproxy: Pick<HaproxyProcess, "show">,
): Promise<readonly RunningServer[]> {
  const answer = await haproxy.show("show servers state;show stat -1 4 -1");
  const at = answer.indexOf("# pxname");
  if (at < 0) throw new Error(`Not the servers of a HAProxy: ${answer.slice(0, 200)}`);
  const details = new Map(
    readTable(answer.slice(at), ",").map((row) => [`${row("pxname")}/${row("svname")}`, row]),
  );
  return readTable(answer.slice(answer.indexOf("# be_id"), at), " ")
    .map((row) => serverOf(row, details.get(`${row("be_name")}/${row("srv_name")}`)))
    .toSorted((a, b) => compare(a.backend, b.backend) || compare(a.name, b.name));
}

type Row = (column: string) => string;

/** Rows below a header that begins with "# "; columns are found by their names, for versions have different ones. */
function readTable(text: string, separator: string): readonly Row[] {
  const [header = "", ...rows] = text.split("\n").filter((line) => line.trim() !== "");
  const columns = header.replace("# ", "").split(separator);
  return rows.map((row) => {
    const cells = row.split(separator);
    return (column) => {
      const cell = cells[columns.indexOf(column)];
      if (cell === undefined) throw new Error(`No column ${column} in: ${row}`);
      return cell;
    };
  });
}

function serverOf(state: Row, details: Row | undefined): RunningServer {
  const [backend, name] = [state("be_name"), state("srv_name")];
  if (details === undefined) throw new Error(`${backend}/${name} is missing in "show stat"`);
  const [admin, check] = [Number(state("srv_admin_state")), Number(state("srv_check_state"))];
  const isChecked = (check & CHECK_CONFIGURED_AND_ENABLED) === CHECK_CONFIGURED_AND_ENABLED;
  return {
    backend,
    name,
    address: state("srv_addr"),
    port: Number(state("srv_port")),
    weight: Number(state("srv_uweight")),
    maint: (admin & MAINT) !== 0,
    drain: (admin & DRAIN) !== 0,
    check: isChecked,
    checkPlace: `${state("srv_check_addr")}:${state("srv_check_port")}`,
    // Told only of checks that are not paused, as most are in maintenance.
    rise: (admin & MAINT) === 0 ? details("check_rise") : "",
    fall: (admin & MAINT) === 0 ? details("check_fall") : "",
    ssl: state("srv_use_ssl") !== "0",
    backup: details("bck") === "1",
    maxconn: details("slim"),
    cookie: details("cookie"),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** `webserver/web1 127.0.0.1:8001 weight 5 maint`: what decides where requests go. */
export function placeOf(
  server: Pick<RunningServer, "backend" | "name" | "address" | "port" | "weight" | "maint"> & {
    readonly drain?: boolean;
  },
): string {
  const { backend, name, address, port, weight, maint, drain } = server;
  const state = `${maint ? " maint" : ""}${drain === true ? " drain" : ""}`;
  return `${backend}/${name} ${address}:${port} weight ${weight}${state}`;
}

/** One line with everything that is known, for comparing two HAProxys. */
export function describeServer(server: RunningServer): string {
  const { check, checkPlace, rise, fall, ssl, backup, maxconn, cookie } = server;
  const words = [
    // Servers in maintenance are not checked, and one that was added so has no check yet.
    check && !server.maint && `check ${checkPlace} rise ${rise} fall ${fall}`,
    ssl && "ssl",
    backup && "backup",
    maxconn !== "" && `maxconn ${maxconn}`,
    cookie !== "" && `cookie ${cookie}`,
  ];
  return [placeOf(server), ...words.filter((word) => word !== false)].join(" ");
}
