import { type Sample, secondHalf, slopePerHour } from "./samples.ts";

/** Growth in the second half that is no longer noise, in MB; told of in runs of ten minutes and more. */
const FLAT_MB = 32;
const FLAT_DESCRIPTORS = 16;
const LONG_ENOUGH_MIN = 10;

/** What is wrong with the memory and the descriptors of the daemon; empty = nothing, or too short a run to tell. */
export function growth(samples: readonly Sample[], minutes: number): readonly string[] {
  if (minutes < LONG_ENOUGH_MIN) return [];
  const half = secondHalf(samples);
  const hours = ((half.at(-1)?.atS ?? 0) - (half[0]?.atS ?? 0)) / 3600;
  const [memory, descriptors] = [
    slopePerHour(half, (sample) => sample.rssMb),
    slopePerHour(half, (sample) => sample.descriptors),
  ];
  return [
    ...(memory !== null && memory * hours > FLAT_MB
      ? [`Rollcall's memory grows by ${memory.toFixed(1)} MB an hour`]
      : []),
    ...(descriptors !== null && descriptors * hours > FLAT_DESCRIPTORS
      ? [`Rollcall's descriptors grow by ${descriptors.toFixed(1)} an hour`]
      : []),
  ];
}
