import type { Container, ContainerSettings } from "./container.ts";
import type { ForeignLabels, Translator } from "./foreign-translator.ts";
import { FOREIGN_LIMITS } from "./foreign-words.ts";
import { nginxProxyLabels } from "./nginx-proxy-labels.ts";
import { registratorLabels } from "./registrator-labels.ts";
import { accept, type Result } from "./result.ts";
import { parseBoolean } from "./server-fields.ts";

/**
 * Says in our labels what a container says in the words of other tools, as far as the settings want them read; its
 * own labels always win. A refusal is about the whole container. Never throws.
 */
export function foreignLabels(container: Container, settings: ContainerSettings): Result<ForeignLabels> {
  const { labels } = container;
  const { foreign, labelPrefix: prefix, enableByDefault } = settings;
  const enable = labels.get(`${prefix}.enable`);
  const isOut = enable !== undefined && !isTrue(enable);
  if (isOut || foreign === undefined) return accept({ sets: [labels], warnings: [] });
  const isIn = enable !== undefined || enableByDefault;
  const warnings = new Set<string>();
  let sets: readonly ReadonlyMap<string, string>[] = [labels];
  for (const translate of translators(foreign)) {
    const next: ReadonlyMap<string, string>[] = [];
    for (const set of sets) {
      const translated = translate({ container, labels: set, prefix, isIn });
      if (!translated.ok) return translated;
      next.push(...translated.value.sets);
      for (const warning of translated.value.warnings) warnings.add(warning);
    }
    sets = next;
  }
  return accept({ sets, warnings: shorten([...warnings]) });
}

/** nginx-proxy's go first: what they say counts as said when Registrator's are read. */
function translators({ nginxProxy, registrator }: NonNullable<ContainerSettings["foreign"]>): Translator[] {
  return [...(nginxProxy ? [nginxProxyLabels] : []), ...(registrator ? [registratorLabels] : [])];
}

function isTrue(text: string): boolean {
  const read = parseBoolean(text);
  return read.ok && read.value;
}

function shorten(warnings: readonly string[]): readonly string[] {
  const more = warnings.length - FOREIGN_LIMITS.warnings;
  if (more <= 0) return warnings;
  return [...warnings.slice(0, FOREIGN_LIMITS.warnings), `${more} more words of other tools left out`];
}
