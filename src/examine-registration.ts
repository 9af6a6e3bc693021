import { agentHost } from "./agent-parts.ts";
import { agentContainerSettings } from "./agent-source.ts";
import type { Publishing } from "./core/container.ts";
import { bad, type Finding, good, warning } from "./core/finding.ts";
import { type HostView, hostView } from "./core/host-address.ts";
import { publications } from "./core/publication.ts";
import { refuse } from "./core/result.ts";
import type { Snapshot } from "./core/snapshot.ts";
import type { DockerReport } from "./discovery/check-docker.ts";
import { examineExposure } from "./examine-exposure.ts";
import { engineFindings, entries, examineEtcd } from "./examine-sources.ts";
import { messageOf } from "./lib/errors.ts";
import type { Config } from "./options.ts";
import { agentDockerOptions, type PartsOptions } from "./parts.ts";
import { pictures } from "./picture.ts";
import { routeToEtcd } from "./registration/host-address.ts";

/** Looks at all that an agent of this host would need, and tells what it would publish at which address, and why. */
export async function examineRegistration(
  options: PartsOptions & { signal: AbortSignal },
): Promise<readonly Finding[]> {
  if (options.config["etcd-endpoints"] === null) {
    return [bad("etcd", "etcd-endpoints is off, so there is nothing to register in: name etcd's members")];
  }
  const findings = [...(await examineEtcd(options)), ...(await examineExposure(options.config))];
  try {
    const { checkDocker } = await import("./discovery/check-docker.ts");
    const report = await checkDocker({ ...agentDockerOptions(options), signal: options.signal });
    findings.push(...engineFindings(report));
    const host = agentHost(options.config);
    findings.push(good("host-name", `this host is called ${host}`));
    if (report.ok) findings.push(...(await examinePublications(options, { host, report })));
  } catch (error) {
    findings.push(bad("register", messageOf(error)));
  }
  return findings;
}

async function examinePublications(
  options: PartsOptions & { signal: AbortSignal },
  { host, report }: { host: string; report: DockerReport & { ok: true } },
): Promise<readonly Finding[]> {
  const { config, signal } = options;
  const unknown = (error: unknown): Publishing["route"] => refuse(messageOf(error));
  const route = await routeToEtcd(config["etcd-endpoints"] ?? []).catch(unknown);
  const publishing = agentContainerSettings(config, route);
  const docker = agentDockerOptions(options);
  const { dockerSource } = await import("./discovery/docker.ts");
  const source = dockerSource({ ...docker, settings: { ...docker.settings, ...publishing } });
  const found = await pictures([source], { timeoutMs: config["start-timeout"], signal });
  const view = hostView({ ...publishing, self: report.self }, report.containers);
  return [address(view), ...found.flatMap((picture) => servers(picture, { host, config }))];
}

/** Not knowing it is bad only for the containers that need it; they say so themselves. */
function address(view: HostView | null): Finding {
  if (view?.address.ok !== true) return warning("address", view?.address.reason ?? "");
  const { address: known, why } = view.address.value;
  return good("address", `this host is ${known}, ${why}`);
}

function servers(picture: Snapshot, { host, config }: { host: string; config: Config }): readonly Finding[] {
  const made = publications(picture, { host, serverNames: config["server-names"] });
  const notes = picture.notes ?? [];
  return [
    good("register", `${made.publications.length} servers`),
    ...notes.map(({ origin, reason }) => good("register", `${origin.id}: ${reason}`)),
    ...entries(picture),
    ...made.refusals.map(({ origin, reason }) => warning("register", `refused ${origin.id}: ${reason}`)),
  ];
}
