/** Where servers, the operator's overrides and the records of who registered what stand. All prefixes end with a slash. */
export interface KeyLayout {
  readonly prefix: string;
  readonly overridesPrefix: string;
  readonly ownersPrefix: string;
  readonly defaultBackend: string;
}

/** A server, by the two names that tell it from all others. */
export interface ServerId {
  readonly backend: string;
  readonly name: string;
}

/** `NAME` for a server of the default backend, `BACKEND/NAME` for any other: what stands behind each prefix. */
export const keyTail = (
  { backend, name }: ServerId,
  { defaultBackend }: Pick<KeyLayout, "defaultBackend">,
) => (backend === defaultBackend ? name : `${backend}/${name}`);

export const serverKey = (id: ServerId, layout: KeyLayout): string => layout.prefix + keyTail(id, layout);

export const overrideKey = (id: ServerId, layout: KeyLayout): string =>
  layout.overridesPrefix + keyTail(id, layout);

export const ownerKey = (id: ServerId, layout: KeyLayout): string =>
  layout.ownersPrefix + keyTail(id, layout);

/** Who registers for a host. No server can be called so: names begin with a letter or a digit. */
export const hostKey = (host: string, layout: Pick<KeyLayout, "ownersPrefix">): string =>
  `${layout.ownersPrefix}@${host}`;
