import { eventually } from "../test/support/eventually.ts";
import type { WantedRoster } from "../test/support/wanted-roster.ts";
import { compareFile, compareRunning } from "./compare.ts";
import type { Lab } from "./lab.ts";
import { takeSample } from "./samples.ts";

/**
 * When all is whole again: the same servers, ready, nothing held, and nothing left over.
 * @throws Error with what is not so.
 */
export async function atTheEnd(lab: Lab, wanted: WantedRoster): Promise<void> {
  await compareRunning(lab, wanted);
  await compareFile(lab, wanted);
  const { daemon } = lab.rollcall;
  const patient = { timeoutMs: 60_000, everyMs: 200 };
  await eventually(async () => {
    const ready = await daemon.get("/readyz");
    if (ready.code !== 200) throw new Error(`not ready: ${ready.text}`);
    const { held } = await daemon.status();
    if (held.length > 0) throw new Error(`still held: ${held.map(({ name }) => name).join(", ")}`);
  }, patient);
  await eventually(() => {
    const left = takeSample(daemon.pid, 0);
    if (left === null || left.children + left.zombies > 0) throw new Error("children of Rollcall are left");
  }, patient);
  await eventually(() => {
    const workers = lab.haproxy.processes().length;
    if (workers !== 1) throw new Error(`${workers} workers of HAProxy`);
  }, patient);
}
