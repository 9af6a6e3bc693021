import { describe, expect, test } from "vitest";
import { stopSignals, type StopSignals } from "../../src/discovery/stop-signals.ts";

const kill = (signals: StopSignals, signal: number, atMs = 5000) =>
  signals.kill({ id: "a", signal, atMs, sinceMs: atMs + 7 });
const listed = (...ids: readonly string[]): ReadonlyMap<string, string> =>
  new Map(ids.map((id) => [id, "e1"]));
const facts = (stopSignal: number, startedAtMs = 1000) => ({ stopSignal, startedAtMs });

describe("a signal", () => {
  test("SIGTERM and SIGKILL mean leaving, without a question", () => {
    for (const signal of [9, 15]) {
      const signals = stopSignals();
      kill(signals, signal);
      expect(signals.undecided()).toEqual([]);
      expect(signals.stopping("a")).toEqual(expect.objectContaining({ signal, sinceMs: 5007 }));
    }
  });

  test("any other has to be asked about once", () => {
    const signals = stopSignals();
    kill(signals, 1);
    expect(signals.stopping("a")).toBeNull();
    expect(signals.undecided()).toEqual(["a"]);
    signals.learn("a", facts(3));
    expect(signals.stopping("a")).toBeNull();
    kill(signals, 1);
    expect(signals.undecided()).toEqual([]);
    kill(signals, 3);
    expect(signals.undecided()).toEqual([]);
    expect(signals.stopping("a")).toMatchObject({ signal: 3 });
  });

  test("the first that means leaving counts; the kill after the grace does not prolong it", () => {
    const signals = stopSignals();
    kill(signals, 12);
    kill(signals, 15, 6000);
    kill(signals, 9, 16_000);
    kill(signals, 1, 17_000);
    expect(signals.stopping("a")).toMatchObject({ signal: 15, sinceMs: 6007 });
  });
});

describe("is forgotten", () => {
  test("when the container starts again", () => {
    const signals = stopSignals();
    kill(signals, 15);
    signals.started("a");
    expect(signals.stopping("a")).toBeNull();
  });

  test("when an inspection shows that it was started since, or is gone", () => {
    for (const found of [facts(15, 5001), null]) {
      const signals = stopSignals();
      kill(signals, 15);
      expect(signals.remembered()).toEqual(["a"]);
      signals.learn("a", found);
      expect(signals.stopping("a")).toBeNull();
      expect(signals.remembered()).toEqual([]);
    }
  });

  test("not when the inspection shows the same start", () => {
    const signals = stopSignals();
    kill(signals, 15);
    signals.learn("a", facts(3, 4999));
    expect(signals.stopping("a")).toMatchObject({ signal: 15 });
  });

  test("when the container is no longer listed, unless the list is older than the signal", () => {
    const signals = stopSignals();
    const before = signals.moment();
    kill(signals, 15);
    signals.keepOnly(listed(), before);
    expect(signals.stopping("a")).not.toBeNull();
    signals.keepOnly(listed("a"), signals.moment());
    expect(signals.stopping("a")).not.toBeNull();
    signals.keepOnly(listed("b"), signals.moment());
    expect(signals.stopping("a")).toBeNull();
  });

  test("together with its stop signal, so that memory does not grow", () => {
    const signals = stopSignals();
    signals.learn("a", facts(3));
    signals.keepOnly(listed(), signals.moment());
    kill(signals, 3);
    expect(signals.undecided()).toEqual(["a"]);
  });
});

describe("where inspections are forbidden", () => {
  test("only SIGTERM and SIGKILL count, and each other one is asked about again", () => {
    const signals = stopSignals();
    kill(signals, 3);
    signals.learn("a", "forbidden");
    expect([signals.stopping("a"), signals.remembered()]).toEqual([null, []]);
    kill(signals, 3);
    expect(signals.undecided()).toEqual(["a"]);
    signals.learn("a", "forbidden");
    kill(signals, 15);
    signals.learn("a", "forbidden");
    expect(signals.stopping("a")).toMatchObject({ signal: 15 });
  });

  test("a container that was in no list before its signal goes on leaving", () => {
    const signals = stopSignals();
    kill(signals, 15);
    signals.learn("a", "forbidden");
    signals.keepOnly(new Map([["a", "e1"]]), signals.moment());
    expect(signals.stopping("a")).not.toBeNull();
  });
});

describe("a start that was not seen", () => {
  const marked = (mark: string): ReadonlyMap<string, string> => new Map([["a", mark]]);
  const killed = (mark: string): StopSignals => {
    const signals = stopSignals();
    signals.keepOnly(marked(mark), signals.moment());
    kill(signals, 15);
    return signals;
  };

  test("is known from the start mark, whatever the engine's clock says of it", () => {
    for (const said of [facts(15, 1000), facts(15, 9_000_000), "forbidden"] as const) {
      const signals = killed("e1");
      signals.learn("a", said);
      signals.keepOnly(marked("e1"), signals.moment());
      expect(signals.stopping("a")).not.toBeNull();
      signals.keepOnly(marked("e2"), signals.moment());
      expect(signals.stopping("a")).toBeNull();
    }
  });

  test("is none when a network came or went, or all of them while it ends", () => {
    for (const mark of ["e1 e3", "e2", ""]) {
      const signals = killed("e1 e2");
      signals.keepOnly(marked(mark), signals.moment());
      expect(signals.stopping("a")).not.toBeNull();
    }
  });

  test("a signal right after a start is not taken for one of before it", () => {
    const signals = killed("e1");
    const before = signals.moment();
    signals.started("a");
    // This list was asked for before the start, and is answered after it.
    signals.keepOnly(marked("e1"), before);
    kill(signals, 15);
    signals.keepOnly(marked("e2"), signals.moment());
    expect(signals.stopping("a")).not.toBeNull();
  });
});
