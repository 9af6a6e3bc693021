import { existsSync } from "node:fs";
import { type KeyFunctions, keyFunctions } from "./key-functions.ts";
import { type NameLookup, nameLookup, type NameResolver } from "./name-lookup.ts";
import * as numbers from "./number-functions.ts";
import * as values from "./value-functions.ts";

/** Functions that ask the machine. */
export interface MachineFunctions {
  /** A variable of the environment; `fallback`, or an empty text, when it is not set or empty. */
  getenv(name: string, fallback?: string): string;
  /** The time of this call. A template that prints it gives another text each time, and so a reload each time. */
  datetime(): Date;
  fileExists(path: string): boolean;
}

/** confd's template functions, under confd's names. */
export type TemplateFunctions = KeyFunctions & MachineFunctions & NameLookup & typeof values & typeof numbers;

/** Makes the functions for one set of keys after another; what they need of the machine stays the same. */
export function templateFunctions(machine: {
  env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since the epoch. */
  now: () => number;
  resolver: NameResolver;
}): (keys: ReadonlyMap<string, string>) => TemplateFunctions {
  const constant: MachineFunctions & NameLookup = {
    getenv: (name, fallback = "") => machine.env[name] || fallback,
    datetime: () => new Date(machine.now()),
    fileExists: (path) => existsSync(path),
    ...nameLookup(machine.resolver),
  };
  return (keys) => ({ ...values, ...numbers, ...constant, ...keyFunctions(keys) });
}
