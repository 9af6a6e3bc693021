import { rollcallVersion } from "../parts.ts";
import { type Command, EXIT } from "./command.ts";

export const version: Command = {
  name: "version",
  summary: "print the version",
  description: "Prints Rollcall's version and that of the Node.js that runs it.",
  flags: { json: { value: null, help: "as JSON" } },
  examples: ["rollcall version"],
  needsConfig: false,
  run: ({ flags, print, nodeVersion }) => {
    const versions = { rollcall: rollcallVersion(), node: nodeVersion };
    print(
      flags.has("json")
        ? JSON.stringify(versions)
        : `rollcall ${versions.rollcall} (Node.js ${versions.node})`,
    );
    return Promise.resolve(EXIT.good);
  },
};
