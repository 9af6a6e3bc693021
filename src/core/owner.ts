import { quote } from "./address.ts";
import { accept, refuse, type Result } from "./result.ts";
import { textFields } from "./text-fields.ts";

/**
 * Who registered a server: the value of its owner key, on the same lease as the server's own key. A server whose key
 * has another lease, or none, was written by somebody else meanwhile and belongs to nobody but him.
 */
export interface Owner {
  readonly host: string;
  /** The first twelve digits of the container's id. */
  readonly container: string;
}

export const ownerText = ({ host, container }: Owner): string => JSON.stringify({ host, container });

/** Reads an owner key's value. What it does not know is left aside: later versions may say more. */
export function parseOwner(text: string): Result<Owner> {
  const fields = textFields(text, ["host", "container"]);
  return fields === null ? refuse(`${quote(text)} is no record of an owner`) : accept(fields);
}
