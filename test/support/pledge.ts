/** A test, by its file and its title as the file has it, `%s` and the like included. */
export interface ShownBy {
  readonly file: string;
  readonly title: string;
}

/** Something that users rely on. */
export interface Pledge {
  readonly what: string;
  /** Empty = no test shows it. */
  readonly shownBy: readonly ShownBy[];
}

export interface PledgeSection {
  readonly title: string;
  readonly pledges: readonly Pledge[];
}

/** Tests of a file, `integration/hold` for test/integration/hold.test.ts. */
export const shown = (file: string, ...titles: readonly string[]): readonly ShownBy[] =>
  titles.map((title) => ({ file: `test/${file}.test.ts`, title }));

export const pledge = (what: string, ...shownBy: readonly (readonly ShownBy[])[]): Pledge => ({
  what,
  shownBy: shownBy.flat(),
});
