/** Lines of context in the diff, as `diff -u` has them. */
const CONTEXT_LINES = 3;

/** Prints the differences of two texts as `diff -u` does; nothing when there are none. */
export async function printDiff(given: {
  from: string;
  to: string;
  names: readonly [from: string, to: string];
  print: (text: string) => void;
}): Promise<void> {
  const { from, to, names, print } = given;
  if (from === to) return;
  const { createTwoFilesPatch } = await import("diff");
  const patch = createTwoFilesPatch(names[0], names[1], from, to, "", "", { context: CONTEXT_LINES });
  print(patch.replace(/^=+\n/, ""));
}
