import { add } from "./commands/add.ts";
import { check } from "./commands/check.ts";
import type { Command } from "./commands/command.ts";
import { drain } from "./commands/drain.ts";
import { history } from "./commands/history.ts";
import { release } from "./commands/release.ts";
import { rollback } from "./commands/rollback.ts";
import { ls } from "./commands/ls.ts";
import { maint } from "./commands/maint.ts";
import { ready } from "./commands/ready.ts";
import { register } from "./commands/register.ts";
import { render } from "./commands/render.ts";
import { rm } from "./commands/rm.ts";
import { run } from "./commands/run.ts";
import { status } from "./commands/status.ts";
import { version } from "./commands/version.ts";
import { weight } from "./commands/weight.ts";

/** All commands, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  run,
  register,
  render,
  check,
  status,
  history,
  rollback,
  release,
  ls,
  add,
  rm,
  drain,
  maint,
  ready,
  weight,
  version,
];
