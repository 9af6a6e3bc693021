/** One metric family of Prometheus' text format. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const LABEL = '([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\\\\n]|\\\\["\\\\n])*)"';
const HELP = new RegExp(`^# HELP (${NAME}) (\\S.*)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram|summary|untyped)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (\\S+)$`);
const VALUE = /^(?:[+-]?(?:[0-9]+(?:\.[0-9]+)?)(?:e[+-]?[0-9]+)?|[+-]Inf|NaN)$/;

/**
 * Reads Prometheus' text format, version 0.0.4, and is stricter than it: HELP, then TYPE, then the samples of that
 * family and no other; no name and no series twice; histograms whole and cumulative.
 * @throws Error naming the first line that breaks a rule.
 */
export function parseExposition(text: string): readonly Family[] {
  if (!text.endsWith("\n")) throw new Error("The text does not end with a line feed.");
  const families = new Map<string, { name: string; help: string; type: string; samples: Sample[] }>();
  const series = new Set<string>();
  let current: { name: string; help: string; type: string; samples: Sample[] } | null = null;
  for (const [index, line] of text.split("\n").entries()) {
    const fail = (why: string): Error => new Error(`line ${index + 1}: ${why}: ${line}`);
    if (line === "") continue;
    const help = HELP.exec(line);
    if (help !== null) {
      const [, name = "", words = ""] = help;
      if (families.has(name)) throw fail("a second HELP");
      if (current?.type === "") throw fail(`${current.name} has no TYPE`);
      current = { name, help: words, type: "", samples: [] };
      families.set(name, current);
      continue;
    }
    const type = TYPE.exec(line);
    if (type !== null) {
      if (current?.name !== type[1] || current?.type !== "")
        throw fail("a TYPE that follows no HELP of its own");
      current.type = type[2] ?? "";
      continue;
    }
    const sample = parseSample(line);
    if (sample === null) throw fail("neither HELP, TYPE nor a sample");
    if (current === null || current.type === "") throw fail("a sample before its TYPE");
    if (!suffixes(current.type).some((suffix) => sample.name === `${current?.name}${suffix}`))
      throw fail(`no sample of ${current.name}`);
    const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
    if (series.has(key)) throw fail("a series that was there before");
    series.add(key);
    current.samples.push(sample);
  }
  for (const family of families.values()) if (family.type === "histogram") checkHistogram(family);
  return [...families.values()];
}

function suffixes(type: string): readonly string[] {
  if (type === "histogram") return ["_bucket", "_sum", "_count"];
  return type === "summary" ? ["", "_sum", "_count"] : [""];
}

function parseSample(line: string): Sample | null {
  const [, name = "", labelText = ""] = SAMPLE.exec(line) ?? [];
  const valueText = line.slice(line.lastIndexOf(" ") + 1);
  if (name === "" || !VALUE.test(valueText)) return null;
  const labels: Record<string, string> = {};
  for (const [, label = "", value = ""] of labelText.matchAll(new RegExp(LABEL, "g"))) {
    if (label in labels) return null;
    labels[label] = value.replaceAll(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one));
  }
  return { name, labels, value: Number(valueText.replace("Inf", "Infinity")) };
}

function checkHistogram({ name, samples }: Family): void {
  const byLabels = Map.groupBy(samples, ({ labels }) => JSON.stringify({ ...labels, le: undefined }));
  for (const [labels, group] of byLabels) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const limits = buckets.map((sample) => Number((sample.labels["le"] ?? "").replace("Inf", "Infinity")));
    const counts = buckets.map((sample) => sample.value);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const sum = group.find((sample) => sample.name === `${name}_sum`)?.value;
    const rises = (numbers: readonly number[]): boolean =>
      numbers.every((number, index) => index === 0 || number >= (numbers[index - 1] ?? Number.NaN));
    if (
      limits.at(-1) !== Infinity ||
      !rises(limits) ||
      !rises(counts) ||
      counts.at(-1) !== count ||
      sum === undefined
    )
      throw new Error(`${name}${labels} is no whole histogram`);
  }
}
