/** Writes what is generated of docs/reference anew from the code: node scripts/write-reference.ts */
import { writeFile } from "node:fs/promises";
import { commandsReference } from "./commands-reference.ts";
import { optionsReference } from "./options-reference.ts";

await writeFile(new URL("../docs/reference/options.md", import.meta.url), await optionsReference());
await writeFile(new URL("../docs/reference/commands.md", import.meta.url), await commandsReference());
