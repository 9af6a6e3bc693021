/**
 * A length of time as people say it, in its largest fitting unit and cut, not rounded: `400 ms`, `12 s`, `3 min`,
 * `5 h`, `2 d`. A negative one (a clock was set back) is `0 s`.
 * @param ms Milliseconds.
 */
export function age(ms: number): string {
  if (ms <= 0) return "0 s";
  if (ms < 1000) return `${Math.ceil(ms)} ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}
