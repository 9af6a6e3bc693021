import { describe, expect, test } from "vitest";
import { containerVariables, type VariablesRun } from "../../src/discovery/container-variables.ts";
import { DockerTimeout } from "../../src/discovery/docker-call.ts";
import { parseVariables, type Variables } from "../../src/discovery/docker-variables.ts";
import { SourceError } from "../../src/lib/errors.ts";
import { container } from "../support/container.ts";
import { eventually } from "../support/eventually.ts";

const idOf = (letter: string): string => letter.repeat(64);
const listed = (letters: string) =>
  letters.split("").map((one) => container({ id: idOf(one), names: [one] }));
const origin = { source: "docker", engine: "/socket" };

/** An engine that answers with `A=1` but where `answers` says otherwise. */
function lab(answers: Record<string, () => Promise<Variables>> = {}) {
  const asked: string[] = [];
  const [clock, pings, news] = [{ ms: 0 }, { fail: false }, { count: 0 }];
  const run = (): VariablesRun => ({
    ask: (id) => {
      const letter = id.slice(0, 1);
      asked.push(letter);
      return answers[letter]?.() ?? Promise.resolve(new Map([["A", "1"]]));
    },
    ping: () => (pings.fail ? Promise.reject(new SourceError("it hangs")) : Promise.resolve()),
    now: () => clock.ms,
    onNews: () => news.count++,
  });
  return {
    asked,
    answers,
    clock,
    pings,
    news,
    run,
    variables: containerVariables(({ id }) => id[0] !== "0"),
  };
}
const filled = async (l: ReturnType<typeof lab>, letters: string, run: VariablesRun) =>
  (await l.variables.fill(listed(letters), run)).map(({ names: [name], variables }) => [
    name,
    variables?.get("A"),
  ]);
const late = (): Promise<Variables> => Promise.reject(new DockerTimeout("too late"));

test("each container is asked about once, over runs, until it is gone", async () => {
  const l = lab();
  expect(await filled(l, "ab", l.run())).toEqual([
    ["a", "1"],
    ["b", "1"],
  ]);
  await filled(l, "ab", l.run());
  await filled(l, "a", l.run());
  expect(l.asked.join("")).toBe("ab");
  await filled(l, "ab", l.run());
  expect(l.asked.join("")).toBe("abb");
});

test("nobody asks about a container that is not meant, or is gone again", async () => {
  const l = lab({ b: () => Promise.resolve(null) });
  expect(await filled(l, "0b", l.run())).toEqual([
    ["0", undefined],
    ["b", undefined],
  ]);
  expect([l.asked, l.variables.warnings(listed("0b"), origin)]).toEqual([["b"], []]);
});

describe("one that cannot be read", () => {
  test.each([
    ["in time", late, "too late"],
    [
      "at all",
      () => Promise.reject(new SourceError("status 500\u001b", { cause: { statusCode: 500 } })),
      "status 500",
    ],
  ])("%s does not lose the others, is said, and is asked about again", async (_, fail, said) => {
    const l = lab({ a: fail });
    const run = l.run();
    expect(await filled(l, "ab", run)).toEqual([
      ["a", undefined],
      ["b", "1"],
    ]);
    const [warning] = l.variables.warnings(listed("ab"), origin);
    expect(warning?.origin.id).toBe("aaaaaaaaaaaa a");
    expect(warning?.reason).toContain(`its environment variables cannot be read: ${said}`);
    expect(warning?.reason).not.toMatch(/\p{C}/u);
    await filled(l, "ab", run);
    expect(l.asked.join("")).toBe("ab");
    delete l.answers["a"];
    l.clock.ms = 30_000;
    await filled(l, "ab", run);
    await eventually(() => expect(l.news.count).toBe(1));
    expect(await filled(l, "ab", run)).toEqual([
      ["a", "1"],
      ["b", "1"],
    ]);
    expect(l.variables.warnings(listed("ab"), origin)).toEqual([]);
  });

  test("is not waited for when others are known", async () => {
    const answer = Promise.withResolvers<Variables>();
    const l = lab({ c: () => answer.promise });
    const run = l.run();
    await filled(l, "a", run);
    expect(await filled(l, "abc", run)).toEqual([
      ["a", "1"],
      ["b", "1"],
      ["c", undefined],
    ]);
    expect(l.news.count).toBe(0);
    answer.resolve(new Map([["A", "9"]]));
    await eventually(() => expect(l.news.count).toBe(1));
    expect((await filled(l, "abc", run)).at(-1)).toEqual(["c", "9"]);
    expect(l.asked.join("")).toBe("abc");
  });
});

describe("throws, so that the last picture stands", () => {
  test("when the engine hangs, and not this container", async () => {
    const l = lab({ a: late });
    l.pings.fail = true;
    await expect(filled(l, "ab", l.run())).rejects.toThrow("it hangs");
  });

  test("when the connection breaks; all are asked about again then", async () => {
    const broken = (): Promise<Variables> =>
      Promise.reject(new SourceError("reset", { cause: new Error("reset") }));
    const l = lab({ a: broken });
    await expect(filled(l, "ab", l.run())).rejects.toThrow("reset");
    delete l.answers["a"];
    expect(await filled(l, "ab", l.run())).toEqual([
      ["a", "1"],
      ["b", "1"],
    ]);
  });
});

test("where inspections are forbidden, it is said once for all", async () => {
  const forbidden = (): Promise<Variables> => Promise.resolve("forbidden");
  const l = lab({ a: forbidden, b: forbidden });
  expect(await filled(l, "ab", l.run())).toEqual([
    ["a", undefined],
    ["b", undefined],
  ]);
  expect(l.variables.warnings(listed("ab"), origin)).toEqual([
    {
      origin: { source: "docker", id: "/socket", revision: "" },
      reason:
        "inspections are forbidden: SERVICE_ and VIRTUAL_ labels are read, environment variables are not",
    },
  ]);
});

describe("of an inspection's answer", () => {
  const tools = { registrator: true, nginxProxy: true };
  const read = (Env: unknown, which = tools) => [...parseVariables({ Config: { Env } }, which)];

  test("only the words of the tools are kept", () => {
    const env = ["SERVICE_NAME=a=b", "PASSWORD=x", "VIRTUAL_HOST=", "VIRTUAL_HOSTS=x", "SERVICE_X", "=", 7];
    expect(read(env)).toEqual([
      ["SERVICE_NAME", "a=b"],
      ["VIRTUAL_HOST", ""],
    ]);
    expect(read(env, { registrator: false, nginxProxy: true })).toEqual([["VIRTUAL_HOST", ""]]);
  });

  test("and no more of them than are read", () => {
    const env = Array.from({ length: 100 }, (_, n) => `SERVICE_${n}=${"x".repeat(9999)}`);
    const kept = read([`SERVICE_${"n".repeat(9999)}=x`, ...env]);
    expect(kept).toHaveLength(65);
    for (const [name, value] of kept) expect(name.length + value.length).toBeLessThanOrEqual(129 + 2049);
  });

  test.each([null, "x", {}, undefined])("%j is no list of variables", (env) => {
    expect(read(env)).toEqual([]);
  });
});
