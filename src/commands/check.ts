import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { problems } from "../core/requirements.ts";
import { bad, type Finding, good } from "../core/finding.ts";
import { buildRoster } from "../core/roster.ts";
import type { Snapshot } from "../core/snapshot.ts";
import { checkConfig } from "../haproxy/check.ts";
import { configFile } from "../haproxy/config-file.ts";
import { examineHaproxy } from "../haproxy/doctor.ts";
import { examineExposure } from "../examine-exposure.ts";
import { examineSources } from "../examine-sources.ts";
import { messageOf } from "../lib/errors.ts";
import { rendererOf } from "../parts.ts";
import { type Command, type Context, EXIT } from "./command.ts";

async function execute(context: Context): Promise<number> {
  const { flags, print } = context;
  const findings = flags.has("register") ? await examineAgent(context) : await examineAll(context);
  print(flags.has("json") ? JSON.stringify(findings) : findings.map(line).join("\n"));
  return findings.some((finding) => finding.state === "bad") ? EXIT.failed : EXIT.good;
}

async function examineAgent(context: Context): Promise<readonly Finding[]> {
  const { examineRegistration } = await import("../examine-registration.ts");
  return examineRegistration(context);
}

/** All that "rollcall run" needs. */
async function examineAll(context: Context): Promise<readonly Finding[]> {
  const { config, kill } = context;
  const { findings: ofSources, snapshots } = await examineSources(context);
  return [
    ...ofSources,
    await examineTemplate(context, snapshots),
    ...(await examineExposure(config)),
    ...(await examineHaproxy({
      binary: config["haproxy-bin"],
      configPath: config["haproxy-config"],
      socketPath: config["haproxy-socket"],
      masterSocketPath: config["haproxy-master-socket"],
      pid: config["haproxy-pid"],
      kill,
    })),
  ];
}

const MARK = { good: "ok  ", warning: "look", bad: "BAD " } as const;
const line = ({ what, state, detail }: Finding): string => `${MARK[state]}  ${what}: ${detail}`;

/** Renders what is wanted now, and lets HAProxy check it in a folder of its own. */
async function examineTemplate(context: Context, snapshots: readonly Snapshot[]): Promise<Finding> {
  const { config, signal } = context;
  const what = "template";
  let folder: string | null = null;
  try {
    // Where the root file system is read-only, the folder of the configuration is not.
    const nearby = join(dirname(config["haproxy-config"]), "rollcall-");
    folder = await mkdtemp(join(tmpdir(), "rollcall-")).catch(() => mkdtemp(nearby));
    const roster = buildRoster(snapshots, { defaultBackend: config["default-backend"] });
    const candidate = await rendererOf(context).render(roster);
    const wrong = problems(candidate, { openFiles: null, socketPath: config["haproxy-socket"] });
    if (wrong.length > 0) return bad(what, wrong.join("; "));
    const staged = await configFile(join(folder, "haproxy.cfg")).stage(candidate.text);
    await checkConfig({ binary: config["haproxy-bin"], file: staged.path, signal });
    return good(what, 'renders, and "haproxy -c" accepts it');
  } catch (error) {
    return bad(what, messageOf(error));
  } finally {
    if (folder !== null) await rm(folder, { recursive: true, force: true });
  }
}

export const check: Command = {
  name: "check",
  summary: "look at configuration, template, sources and HAProxy, and say what is wrong and what to do",
  description: `A doctor: reads every source once, renders the template and lets HAProxy check it, looks whether the file
can be replaced, the sockets answer and HAProxy can be told to reload, and who may read the status and the secrets. It
changes nothing.
Exit code 0 = all is well, 1 = something is wrong, 78 = the configuration itself is wrong.`,
  flags: {
    register: {
      value: null,
      help: 'look at what "rollcall register" needs instead: etcd, the engine, and each container\'s address',
    },
    json: { value: null, help: "as JSON: a list of {what, state, detail}" },
  },
  examples: [
    "rollcall check",
    "rollcall check --register",
    "rollcall check --docker on --haproxy-socket /run/haproxy/admin.sock",
  ],
  needsConfig: true,
  run: execute,
};
