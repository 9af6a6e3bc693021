import { format } from "prettier";
import type { Pledge, ShownBy } from "../test/support/pledge.ts";
import { PLEDGES } from "../test/support/promises.ts";

/** What was seen of a pledge, and on which day; both as they stand in the table. */
export interface Seen {
  readonly figures: string;
  readonly day: string;
}

export const NOT_SHOWN = "**not shown**";
const NOT_RUN: Seen = { figures: "run `npm run test:faults`", day: "" };

const INTRODUCTION = `# Reliability

Rollcall stands at the front door of other people's systems. This page says what may be relied on, and which test shows it; every test runs against real HAProxys, etcds and Docker engines, or is plain arithmetic. What no test shows is listed too.

The figures are those of the last run of \`npm run test:faults\`, which writes this page: figures of several HAProxy branches are added up, times are the longest. Nothing here is typed by hand but the promises, in \`test/support/promises.ts\`. A run of single files (\`npm run test:faults -- test/integration/hold.test.ts\`) renews their rows only.

\`npm run soak -- --minutes 30\` goes further: for as long as you like, random faults on every part at the same time, with load, random changes and a model of what should be ([operations](operations.md#trying-to-break-it)).
`;

/** The text of docs/reliability.md; a pledge of which nothing was seen yet says how to see it. */
export async function reliabilityPage(seen: ReadonlyMap<string, Seen>): Promise<string> {
  const sections = PLEDGES.map(({ title, pledges }) => {
    const rows = pledges.map((one, index) => rowOf(one, { number: index + 1, seen: seen.get(one.what) }));
    return [
      `## ${title}`,
      "",
      "| | promise | shown by | last figures | on |",
      "|--|--|--|--|--|",
      ...rows,
      "",
    ];
  });
  return format([INTRODUCTION, ...sections.flat()].join("\n"), { parser: "markdown", printWidth: 110 });
}

function rowOf(one: Pledge, { number, seen = NOT_RUN }: { number: number; seen: Seen | undefined }): string {
  const { figures, day } = one.shownBy.length === 0 ? { figures: "", day: "" } : seen;
  const shownBy = one.shownBy.length === 0 ? NOT_SHOWN : one.shownBy.map(shownText).join("; ");
  return `| ${[number, one.what, shownBy, figures, day].map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
}

const shownText = ({ file, title }: ShownBy): string => `\`${file}\`: _${title}_`;

/** The cells of each row of the page's tables. */
export const rowsOf = (page: string): readonly (readonly string[])[] =>
  page
    .split("\n")
    .filter((line) => /^\| \d+ /.test(line))
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );

/** What the page says that was seen of each pledge. */
export function seenOn(page: string): Map<string, Seen> {
  const found = new Map<string, Seen>();
  for (const [, what = "", , figures = "", day = ""] of rowsOf(page)) {
    if (day !== "") found.set(what, { figures, day });
  }
  return found;
}
