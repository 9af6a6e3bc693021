import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { mayMount, smallDisk } from "../../soak/small-disk.ts";
import { eventually } from "../support/eventually.ts";
import { type Stack, startStack } from "../support/stack.ts";
import { tempDir } from "../support/temp-dir.ts";

/** What befalls a disk, what Rollcall says of it, and how it ends. */
interface Fault {
  readonly name: string;
  readonly says: RegExp;
  begin(disk: ReturnType<typeof smallDisk>): Promise<void> | void;
  end(disk: ReturnType<typeof smallDisk>): Promise<void> | void;
}

/** The machine is shared. */
const soon = <T>(attempt: () => T | Promise<T>): Promise<T> => eventually(attempt, { timeoutMs: 30_000 });

/** Refused as long as somebody writes there. */
const remount = (path: string, how: "ro" | "rw"): Promise<void> =>
  soon(async () => void (await execa("mount", ["-o", `remount,${how}`, path])));

const FAULTS: readonly Fault[] = [
  { name: "is full", says: /no space left in/, begin: (disk) => disk.fill(), end: (disk) => disk.free() },
  {
    name: "becomes read-only",
    says: /read-only|not writable/,
    begin: ({ path }) => remount(path, "ro"),
    end: ({ path }) => remount(path, "rw"),
  },
];

async function start(
  pathsOn: (disk: string) => Record<string, string>,
): Promise<{ disk: ReturnType<typeof smallDisk>; stack: Stack } & AsyncDisposable> {
  await using cleanup = new AsyncDisposableStack();
  const dir = cleanup.use(await tempDir());
  const disk = cleanup.use(smallDisk(join(dir.path, "disk")));
  const options = { "start-timeout": "1s", ...pathsOn(disk.path) };
  const stack = cleanup.use(await startStack({ version: "3.0", options }));
  const owned = cleanup.move();
  return { disk, stack, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Resolves when Rollcall is ready and says this, or nothing. */
const untilReady = ({ daemon }: Stack, text: RegExp): Promise<void> =>
  soon(async () =>
    expect(await daemon.get("/readyz")).toMatchObject({ code: 200, text: expect.stringMatching(text) }),
  );

const READY = /^ready\n$/;

describe.skipIf(!mayMount()).each(FAULTS)("the disk of the state folder $name", (fault) => {
  it("changes go on, readiness says why nothing is remembered, and all is remembered afterwards", async () => {
    await using lab = await start((disk) => ({ "state-dir": join(disk, "state") }));
    const { disk, stack } = lab;
    const remembered = (name: string): Promise<string> => readFile(join(disk.path, "state", name), "utf8");
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    await soon(async () => {
      expect(await remembered("source-etcd.json")).toContain("web1");
      expect(await remembered("history.json")).toContain('"servers":1');
    });
    await fault.begin(disk);
    await stack.app("web2");
    await stack.untilServed(["web1", "web2"]);
    await untilReady(stack, fault.says);
    expect(await remembered("source-etcd.json")).not.toContain("web2");

    // What could not be remembered is not lost by a start without etcd.
    await stack.etcd.kill();
    await stack.daemon.restart();
    await soon(async () => {
      expect((await stack.daemon.get("/readyz")).text).toMatch(
        /without it these would be removed: webserver\/web2/,
      );
    });
    expect(await stack.served()).toEqual(["web1", "web2"]);
    await stack.etcd.restart();
    await untilReady(stack, fault.says);
    await stack.untilServed(["web1", "web2"]);

    await fault.end(disk);
    await untilReady(stack, READY);
    await soon(async () => {
      expect(await remembered("source-etcd.json")).toContain("web2");
    });
  });
});

describe.skipIf(!mayMount()).each(FAULTS)("the disk of haproxy.cfg $name", (fault) => {
  it("HAProxy runs what its file holds, readiness says why, and the change is made afterwards", async () => {
    await using lab = await start((disk) => ({ "haproxy-config": join(disk, "haproxy.cfg") }));
    const { disk, stack } = lab;
    await stack.app("web1");
    await stack.untilServed(["web1"]);
    await soon(() => expect(stack.config()).toContain("server web1 "));
    await fault.begin(disk);
    const good = stack.config();
    await stack.app("web2");
    await untilReady(stack, fault.says);
    await stack.untilServed(["web1"]);
    expect(stack.config()).toBe(good);
    await stack.haproxy.restart();
    await stack.untilServed(["web1"]);

    await fault.end(disk);
    await stack.untilServed(["web1", "web2"], 90_000);
    await soon(() => expect(stack.config()).toContain("server web2 "));
    await untilReady(stack, READY);
  });
});
