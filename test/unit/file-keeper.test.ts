import { describe, expect, it } from "vitest";
import { readStamp, type Stamped } from "../../src/core/stamp.ts";
import { fileKeeper } from "../../src/file-keeper.ts";

const [A, B] = [readStamp("backend a\n"), readStamp("backend b\n")];
const NEVER = new Promise<void>(() => undefined);
const NOW = Promise.resolve();

/** A keeper whose writes end when the test says so, with a clock that the test moves. */
function lab() {
  const clock = { ms: 0 };
  const written: string[] = [];
  const told: string[] = [];
  const gates: PromiseWithResolvers<void>[] = [];
  const keeper = fileKeeper({
    haproxy: {
      write: async ({ text }: Stamped) => {
        written.push(text);
        const gate = Promise.withResolvers<void>();
        gates.push(gate);
        await gate.promise;
      },
      noteProven: async ({ text }: Stamped) => void told.push(`proven ${text}`),
    },
    monotonicMs: () => clock.ms,
    onWritten: () => void told.push("written"),
  });
  /** The write that begins next. */
  const gate = async (at: number): Promise<PromiseWithResolvers<void>> => {
    for (;;) {
      const found = gates[at];
      if (found !== undefined) return found;
      await Promise.resolve();
    }
  };
  const settle = (text: Stamped, interrupted: Promise<void>): Promise<void> =>
    keeper.settle(text, { stopwatch: {}, interrupted });
  return { keeper, settle, clock, written, told, gate };
}

describe("fileKeeper", () => {
  it("writes once what it does not hold, and waits for it", async () => {
    const { keeper, settle, written, gate, told } = lab();
    const done = settle(A, NEVER);
    (await gate(0)).resolve();
    await done;
    await settle(A, NEVER);
    expect([written, told, keeper.held()]).toEqual([[A.text], [`proven ${A.text}`], A]);
    expect(keeper.dueMs(A)).toBe(Infinity);
  });

  it("goes on beside the next pass, and says when it is done", async () => {
    const { keeper, settle, gate, told, written } = lab();
    await settle(A, NOW);
    expect([keeper.held(), keeper.dueMs(B)]).toEqual([null, Infinity]);
    await settle(B, NOW);
    const { resolve } = await gate(0);
    expect(written).toEqual([A.text]);
    resolve();
    await keeper.idle();
    expect([told, keeper.held()]).toEqual([[`proven ${A.text}`, "written"], A]);
  });

  it("leaves the processor to others between two writes, the longer the longer one took", async () => {
    const { keeper, settle, gate, clock, written } = lab();
    const first = settle(A, NEVER);
    const { resolve } = await gate(0);
    clock.ms = 100;
    resolve();
    await first;
    await settle(B, NEVER);
    expect([written, keeper.dueMs(B)]).toEqual([[A.text], 600]);
    clock.ms = 600;
    void settle(B, NEVER);
    await gate(1);
    expect(written).toEqual([A.text, B.text]);
  });

  it("tells once, at the next pass for the same text, that a write failed which nobody waited for", async () => {
    const { keeper, settle, gate, clock } = lab();
    await settle(A, NOW);
    (await gate(0)).reject(new Error("no space left"));
    await keeper.idle();
    expect(keeper.held()).toBeNull();
    await expect(settle(A, NEVER)).rejects.toThrow("no space left");
    clock.ms = 250;
    void settle(A, NEVER);
    expect(await gate(1)).toBeDefined();
  });

  it("tries another text at once, which may lack nothing", async () => {
    const { keeper, settle, gate } = lab();
    await settle(A, NOW);
    (await gate(0)).reject(new Error("refused"));
    await keeper.idle();
    const done = settle(B, NOW);
    (await gate(1)).resolve();
    await done;
    expect(keeper.held()).toBe(B);
  });
});
