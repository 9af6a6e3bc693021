import fc from "fast-check";
import { expect, test } from "vitest";
import { sortedList } from "../../src/core/sorted-list.ts";

const key = fc.stringMatching(/^[ab]{1,4}$/);
/** Some changes, and then a look; few and many take different ways. */
const round = fc.oneof(
  fc.array(fc.tuple(key, fc.option(fc.nat(), { nil: undefined })), { maxLength: 5 }),
  fc.array(fc.tuple(fc.stringMatching(/^[a-d]{1,3}$/), fc.option(fc.nat(), { nil: undefined })), {
    minLength: 60,
    maxLength: 150,
  }),
);

test("after any changes it is what a sorted map would be", () => {
  fc.assert(
    fc.property(fc.array(round, { maxLength: 12 }), (rounds) => {
      const list = sortedList<number>();
      const model = new Map<string, number>();
      for (const changes of rounds) {
        const before = list.values();
        const copy = [...before];
        for (const [at, value] of changes) {
          list.set(at, value);
          if (value === undefined) model.delete(at);
          else model.set(at, value);
        }
        const wanted = [...model].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
        expect(list.values()).toEqual(wanted);
        expect(list.values()).toBe(list.values());
        expect(before).toEqual(copy);
      }
    }),
  );
});
