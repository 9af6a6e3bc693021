import { dockerSource } from "./discovery/docker.ts";
import type { Source } from "./discovery/source.ts";
import { agentDockerOptions, type PartsOptions } from "./parts.ts";

/** The containers of this host with the addresses at which other hosts reach them. */
export async function agentSource(
  options: PartsOptions,
): Promise<{ source: Source; /** Of this host; null = not known. */ address: string | null }> {
  return { source: dockerSource(agentDockerOptions(options)), address: null };
}
