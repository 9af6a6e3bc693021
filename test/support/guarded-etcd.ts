import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EtcdAccess } from "../../src/etcd/access.ts";
import { startEtcd, type EtcdOptions, type EtcdServer } from "./etcd-server.ts";
import { tempDir } from "./temp-dir.ts";

/** An etcd with authentication. */
export interface GuardedEtcd extends AsyncDisposable {
  readonly etcd: EtcdServer;
  /** Path of the file with a user's password; what is written into it counts from the next login on. */
  passwordFile(user: string): string;
  /** How that user reaches this etcd. */
  access(user: string): EtcdAccess;
  /** etcdctl as root. */
  root(...args: readonly string[]): Promise<string>;
}

/**
 * Starts an etcd whose users may what `users` says, as in "--prefix=true read /app/servers/"; the role of each is called
 * as the user. Passwords are "p4ss word", that of root is "root".
 */
export async function guardedEtcd(
  users: Readonly<Record<string, readonly string[]>>,
  options: EtcdOptions = {},
): Promise<GuardedEtcd> {
  const [etcd, dir] = [await startEtcd(options), await tempDir()];
  const passwordFile = (user: string): string => join(dir.path, user);
  for (const [user, grants] of Object.entries(users)) {
    await writeFile(passwordFile(user), "p4ss word\n");
    await etcd.ctl("role", "add", user);
    for (const grant of grants) await etcd.ctl("role", "grant-permission", user, ...grant.split(" "));
    await etcd.ctl("user", "add", `${user}:p4ss word`);
    await etcd.ctl("user", "grant-role", user, user);
  }
  await etcd.ctl("user", "add", "root:root");
  await etcd.ctl("user", "grant-role", "root", "root");
  await etcd.ctl("auth", "enable");
  return {
    etcd,
    passwordFile,
    access: (username) => ({
      endpoints: [`http://${etcd.endpoint}`],
      username,
      passwordFile: passwordFile(username),
    }),
    root: (...args) => etcd.ctl("--user", "root:root", ...args),
    async [Symbol.asyncDispose]() {
      for (const part of [etcd, dir]) await part[Symbol.asyncDispose]();
    },
  };
}
