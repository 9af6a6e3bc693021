/** Writes docs/reference/options.md anew from the code: node scripts/write-reference.ts */
import { writeFile } from "node:fs/promises";
import { optionsReference } from "./options-reference.ts";

await writeFile(new URL("../docs/reference/options.md", import.meta.url), await optionsReference());
