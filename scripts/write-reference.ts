/**
 * Writes what is generated of docs/reference anew from the code, and the promises of docs/reliability.md with the figures
 * that stand there: node scripts/write-reference.ts
 */
import { readFile, writeFile } from "node:fs/promises";
import { commandsReference } from "./commands-reference.ts";
import { optionsReference } from "./options-reference.ts";
import { reliabilityPage, seenOn } from "./reliability-page.ts";

await writeFile(new URL("../docs/reference/options.md", import.meta.url), await optionsReference());
await writeFile(new URL("../docs/reference/commands.md", import.meta.url), await commandsReference());
const reliability = new URL("../docs/reliability.md", import.meta.url);
await writeFile(reliability, await reliabilityPage(seenOn(await readFile(reliability, "utf8"))));
