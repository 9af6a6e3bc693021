import { quote } from "./address.ts";
import { accept, refuse, type Result } from "./result.ts";

const UNIT_MS = new Map([
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);
const MAX_MS = 24 * 3_600_000;
const DURATION = /^([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h)$/;

/** `500ms`, `2s`, `1.5m`, `1h` in whole milliseconds: from 1 ms to 24 h. A number without a unit is refused. */
export function parseDuration(text: string): Result<number> {
  const [, number = "", unit = ""] = DURATION.exec(text) ?? [];
  if (number === "")
    return refuse(`${quote(text)} is no duration: write a number and ms, s, m or h, like 500ms or 2s`);
  const ms = Math.round(Number(number) * (UNIT_MS.get(unit) ?? Number.NaN) * 1000) / 1000;
  if (ms < 1 || ms > MAX_MS) return refuse(`${quote(text)} is not between 1ms and 24h`);
  return Number.isInteger(ms) ? accept(ms) : refuse(`${quote(text)} is not a whole number of milliseconds`);
}

/** What `parseDuration` reads as so many whole milliseconds, without a fraction: `1500ms`, `2s`, `1h`. */
export function durationText(ms: number): string {
  const unit = [...UNIT_MS].toReversed().find(([, size]) => ms % size === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}
