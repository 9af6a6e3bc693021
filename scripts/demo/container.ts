import { ensureImages } from "../lab/images.ts";
import { box } from "./box.ts";
import { change, type Measured, settle, showBalance, type Stage } from "./steps.ts";

/** A container comes, registers itself by its labels, and is stopped again. */
export async function showContainer(
  stage: Stage,
  given: { docker: { dockerHost: string; labelPrefix: string }; dir: string; others: readonly string[] },
): Promise<readonly Measured[]> {
  const { out, signal } = stage;
  const name = "box1";
  await ensureImages(given.docker, ["app"]);
  out.line("The usual prefix of the labels is rollcall; this one keeps other containers out of the demo.");
  await using container = box({ ...given, name });
  out.command(container.runCommand);
  const ended = new AbortController();
  const comes = await change(
    { ...stage, signal: AbortSignal.any([signal, ended.signal]) },
    {
      name,
      kind: "comes",
      what: `docker run ${name} -> its first answer`,
      background: true,
      act: async () => {
        const end = container.run();
        end.addEventListener("abort", () => ended.abort(end.reason));
        await Promise.resolve();
      },
    },
  );
  await settle(stage);
  await showBalance(stage, [...given.others, name]);
  out.command(container.stopCommand);
  const goes = await change(stage, {
    name,
    kind: "goes",
    what: `docker stop ${name} -> its last answer`,
    act: () => container.stop(signal),
  });
  await settle(stage);
  await showBalance(stage, given.others);
  return [comes, goes];
}
