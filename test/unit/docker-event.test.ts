import { expect, test } from "vitest";
import { parseDockerEvent, signalNumber } from "../../src/discovery/docker-event.ts";

const line = (given: object) =>
  JSON.stringify({ Type: "container", time: 1795225925, timeNano: 1795225925123456800, ...given });
const kill = (signal: unknown) =>
  line({ Action: "kill", Actor: { ID: "abc", Attributes: { signal, name: "web" } } });

test("a signal and a start name their container", () => {
  const atMs = 1795225925123.4568;
  expect(parseDockerEvent(kill("15"))).toEqual({ kind: "kill", id: "abc", signal: 15, atMs });
  expect(parseDockerEvent(kill("SIGQUIT"))).toEqual({ kind: "kill", id: "abc", signal: 3, atMs });
  expect(parseDockerEvent(line({ Action: "start", Actor: { ID: "abc" } }))).toEqual({
    kind: "start",
    id: "abc",
  });
});

test("everything else says only that something changed", () => {
  const others = [
    line({ Action: "die", Actor: { ID: "abc" } }),
    line({ Type: "network", Action: "connect", Actor: { ID: "net", Attributes: { container: "abc" } } }),
    kill("NOSUCH"),
    kill(undefined),
    line({ Action: "kill" }),
    line({ Action: "start", Actor: { ID: 7 } }),
    '{"Type":"container","Act',
    "null",
    "7",
  ];
  for (const other of others) expect(parseDockerEvent(other)).toEqual({ kind: "change" });
});

test("signals by number and by name", () => {
  const table = [
    ["15", 15],
    ["SIGTERM", 15],
    ["term", 15],
    ["SIGQUIT", 3],
    ["WINCH", 28],
    ["SIGRTMIN+3", 37],
    ["RTMIN", 34],
    ["SIGRTMAX-2", 62],
    ["0", undefined],
    ["", undefined],
    ["SIGNONE", undefined],
  ] as const;
  for (const [text, number] of table) expect(signalNumber(text)).toBe(number);
});
