import { readFileSync } from "node:fs";

/*
 * Loaded into a daemon with NODE_OPTIONS=--import: its wall clock is off by as many milliseconds as the file
 * CLOCK_JUMP_FILE says, as if somebody had set it. Timers go on, as they do on a machine whose clock is set.
 */
const file = process.env["CLOCK_JUMP_FILE"] ?? "";
const real = Date.now.bind(Date);
let offMs = 0;
const look = (): void => {
  try {
    offMs = Number(readFileSync(file, "utf8"));
  } catch {
    offMs = 0;
  }
};
setInterval(look, 50).unref();
Date.now = () => real() + offMs;
