import { bad, type Finding, good, warning } from "./core/finding.ts";
import type { Refusal, Snapshot } from "./core/snapshot.ts";
import type { DockerReport } from "./discovery/check-docker.ts";
import { messageOf } from "./lib/errors.ts";
import { dockerOptions, etcdOptions, type PartsOptions, sourcesOf } from "./parts.ts";
import { pictures } from "./picture.ts";

/** Looks at every source, down to the single members of etcd, and takes the pictures of those that answer. */
export async function examineSources(
  options: PartsOptions & { signal: AbortSignal },
): Promise<{ findings: readonly Finding[]; snapshots: readonly Snapshot[] }> {
  const findings = [...(await examineEtcd(options)), ...(await examineDocker(options))];
  const snapshots: Snapshot[] = [];
  for (const source of await sourcesOf(options)) {
    try {
      const timeoutMs = options.config["start-timeout"];
      const found = await pictures([source], { timeoutMs, signal: options.signal });
      snapshots.push(...found);
      findings.push(...found.flatMap((picture) => [servers(picture), ...entries(picture)]));
    } catch (error) {
      // The look at its members has said it already.
      const known = findings.some(({ what, state }) => what === source.name && state === "bad");
      if (!known) findings.push(bad(source.name, messageOf(error)));
    }
  }
  return { findings, snapshots };
}

/** Asks each member of etcd. */
export async function examineEtcd(
  options: PartsOptions & { signal: AbortSignal },
): Promise<readonly Finding[]> {
  const access = etcdOptions(options);
  if (access === null) return [good("etcd", "off")];
  const { checkEtcd } = await import("./discovery/check-etcd.ts");
  const members = await checkEtcd(access, options.signal);
  return members.map(({ endpoint, problem, version, keys }) =>
    problem === null
      ? good("etcd", `${endpoint} is version ${version}, with ${keys} keys under ${access.prefix}`)
      : bad("etcd", `${endpoint}: ${problem}`),
  );
}

async function examineDocker(options: PartsOptions & { signal: AbortSignal }): Promise<readonly Finding[]> {
  const { config, signal } = options;
  const access = dockerOptions(options);
  if (access === null) {
    const why =
      config.docker === "off" ? "off" : "no engine's socket here; set docker-host if there should be one";
    return [good("docker", why)];
  }
  const { checkDocker } = await import("./discovery/check-docker.ts");
  return engineFindings(await checkDocker({ ...access, signal }));
}

/** What is to be said of an engine that was looked at. */
export function engineFindings(report: DockerReport): readonly Finding[] {
  if (!report.ok) return [bad("docker", report.reason)];
  const { endpoint, version, running, elsewhere } = report;
  const engine = version === null ? "answers" : `is version ${version.engine}`;
  const others = elsewhere === 0 ? "" : ` and ${elsewhere} tasks on other nodes`;
  const seen = good("docker", `${endpoint} ${engine}, with ${running} running containers${others}`);
  return report.warning === null ? [seen] : [seen, warning("docker", report.warning)];
}

const servers = (picture: Snapshot): Finding => good(picture.source, `${picture.servers.length} servers`);

/** What is not served, or deserves a look. */
export function entries(picture: Snapshot): readonly Finding[] {
  const finding =
    (kind: string) =>
    ({ origin, reason }: Refusal): Finding =>
      warning(picture.source, `${kind} ${origin.id}: ${reason}`);
  return [
    ...picture.quarantined.map(finding("quarantined")),
    ...picture.waiting.map(finding("waiting")),
    ...picture.warnings.map(finding("warning")),
  ];
}
