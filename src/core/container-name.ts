import { type Container, shortId } from "./container.ts";
import { fitName } from "./names.ts";

const COMPOSE = "com.docker.compose";
const SWARM = "com.docker.swarm";

/**
 * The server name of a container whose labels give none: Compose's `service-number`, Swarm's `service.slot` (the
 * node's id in the slot's place for a global service), else the container's name; always one that `parseName` takes.
 */
export function defaultName(container: Container): string {
  const name = composeName(container) ?? swarmName(container) ?? containerName(container);
  return fitName(name) ?? shortId(container.id);
}

/** The container's own name. Links of old engines show as further names with a slash inside: `other/alias`. */
export function containerName(container: Container): string {
  const own = container.names.find((name) => !name.includes("/")) ?? container.names[0];
  return own === undefined || own === "" ? shortId(container.id) : own;
}

/** Text for people: id and name, with nothing in it that could disturb a terminal, a log line or a comment. */
export function shownContainer(container: Container): string {
  const name = containerName(container)
    .slice(0, 128)
    .replace(/[^A-Za-z0-9_.-]/g, "?");
  return `${shortId(container.id)} ${name}`;
}

/** `name` with `addition` behind it, cut so that the whole still is a name. */
export function extendName(name: string, addition: string): string {
  return `${name.slice(0, 62 - addition.length)}-${addition}`;
}

function composeName({ labels }: Container): string | undefined {
  const service = labels.get(`${COMPOSE}.service`);
  const number = labels.get(`${COMPOSE}.container-number`);
  // `docker compose run` makes containers of the same service that count on their own.
  const oneOff = labels.get(`${COMPOSE}.oneoff`)?.toLowerCase() === "true";
  return isGiven(service) && isGiven(number) && !oneOff ? `${service}-${number}` : undefined;
}

/** Task names are `service.slot.taskid`. */
function swarmName({ labels }: Container): string | undefined {
  const task = labels.get(`${SWARM}.task.name`);
  const id = labels.get(`${SWARM}.task.id`);
  if (!isGiven(task) || !isGiven(id) || !task.endsWith(`.${id}`)) return undefined;
  return task.slice(0, -id.length - 1);
}

const isGiven = (text: string | undefined): text is string => text !== undefined && text !== "";
