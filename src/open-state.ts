import { existsSync } from "node:fs";
import { CommandError, type Context, EXIT } from "./commands/command.ts";
import { openStateFolder, type StateFolder } from "./state/state-folder.ts";

/**
 * The daemon's state folder, for a command.
 * @throws CommandError when there is none.
 */
export async function openState({ config, log }: Context): Promise<StateFolder> {
  const path = config["state-dir"];
  const how = "start rollcall run with --state-dir FOLDER, and give this command the same";
  if (path === null)
    throw new CommandError(`state-dir is not set, so nothing is remembered: ${how}`, EXIT.config);
  if (!existsSync(path)) throw new CommandError(`there is no folder ${path}: ${how}`, EXIT.failed);
  return openStateFolder(path, log);
}
