import { describe, expect, test } from "vitest";
import type { Source } from "../../src/discovery/source.ts";
import { eventually } from "../support/eventually.ts";
import { runSource, serverNames } from "../support/run-source.ts";

/** A source, and the world behind it, which the contract's tests change. */
export interface ContractSubject extends AsyncDisposable {
  readonly source: Source;
  /** Makes servers of exactly these names stand in the world. */
  want(names: readonly string[]): Promise<void>;
  /** Makes reading impossible, in a way that the source notices at once; the world stays as it is. */
  break(): Promise<void>;
  mend(): Promise<void>;
  /** Connections, watches and the like that the source holds at this moment. */
  handles(): number;
}

/** What every source owes: see the contract on `Source`. Each test opens a subject of its own. */
export function sourceContract(name: string, open: () => Promise<ContractSubject>): void {
  describe(`${name} keeps the contract of a source`, () => {
    test("the full set comes first", async () => {
      await using subject = await open();
      await subject.want(["web1", "web2", "web3"]);
      await using run = runSource(subject.source);
      await eventually(() => expect(run.snapshots.length).toBeGreaterThan(0));
      expect(run.snapshots.map(serverNames)[0]).toEqual(["web1", "web2", "web3"]);
      expect(run.snapshots[0]?.source).toBe(subject.source.name);
    });

    test("an empty world is a picture too", async () => {
      await using subject = await open();
      await subject.want([]);
      await using run = runSource(subject.source);
      await eventually(() => expect(run.names()).toEqual([]));
      await subject.want(["web1"]);
      await eventually(() => expect(run.names()).toEqual(["web1"]));
      await subject.want([]);
      await eventually(() => expect(run.names()).toEqual([]));
    });

    test("the full set comes after each change", async () => {
      await using subject = await open();
      await subject.want(["web1"]);
      await using run = runSource(subject.source);
      await eventually(() => expect(run.names()).toEqual(["web1"]));
      for (const names of [["web1", "web2"], ["web2"], ["web2", "web3", "web4"], ["web1"]]) {
        await subject.want(names);
        await eventually(() => expect(run.names()).toEqual(names));
      }
    });

    test("a change of the revision goes with each change of the picture", async () => {
      await using subject = await open();
      await subject.want(["web1"]);
      await using run = runSource(subject.source);
      await eventually(() => expect(run.names()).toEqual(["web1"]));
      await subject.want(["web1", "web2"]);
      await eventually(() => expect(run.names()).toEqual(["web1", "web2"]));
      expect(run.snapshots.at(-1)?.revision).not.toBe(run.snapshots[0]?.revision);
    });

    test("an error ends the run, and is never an empty picture", async () => {
      await using subject = await open();
      await subject.want(["web1", "web2"]);
      await using run = runSource(subject.source);
      await eventually(() => expect(run.names()).toEqual(["web1", "web2"]));
      await subject.break();
      expect(await run.ended).toMatchObject({ name: "SourceError" });
      expect(new Set(run.snapshots.map((one) => serverNames(one).join()))).toEqual(new Set(["web1,web2"]));

      await using blind = runSource(subject.source);
      expect(await blind.ended).toMatchObject({ name: "SourceError" });
      expect(blind.snapshots).toEqual([]);
    });

    test("a further run starts with the full set of then", async () => {
      await using subject = await open();
      await subject.want(["web1", "web2"]);
      await using first = runSource(subject.source);
      await eventually(() => expect(first.names()).toEqual(["web1", "web2"]));
      await subject.break();
      expect(await first.ended).toBeInstanceOf(Error);
      await subject.mend();
      await subject.want(["web2", "web3"]);
      await using second = runSource(subject.source);
      await eventually(() => expect(second.snapshots.length).toBeGreaterThan(0));
      expect(second.snapshots.map(serverNames)[0]).toEqual(["web2", "web3"]);
      await subject.want(["web4"]);
      await eventually(() => expect(second.names()).toEqual(["web4"]));
    });

    test("an abort ends the run in peace, and nothing is left behind", async () => {
      await using subject = await open();
      await subject.want(["web1"]);
      await eventually(() => expect(subject.handles()).toBe(0));
      const timers = countTimers();
      const run = runSource(subject.source);
      await eventually(() => expect(run.names()).toEqual(["web1"]));
      expect(subject.handles()).toBeGreaterThan(0);
      run.stop();
      expect(await run.ended).toBeNull();
      const published = run.snapshots.length;
      await eventually(() => expect(subject.handles()).toBe(0));
      await eventually(() => expect(countTimers()).toBeLessThanOrEqual(timers));
      await subject.want(["web1", "web2"]);
      await using later = runSource(subject.source);
      await eventually(() => expect(later.names()).toEqual(["web1", "web2"]));
      expect(run.snapshots.length).toBe(published);
    });

    test("an abort before the start is no error", async () => {
      await using subject = await open();
      await subject.want(["web1"]);
      const run = runSource(subject.source);
      run.stop();
      expect(await run.ended).toBeNull();
      await eventually(() => expect(subject.handles()).toBe(0));
    });
  });
}

/** Timers that keep the process alive. */
const countTimers = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
