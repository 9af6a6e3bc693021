import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { installPackages } from "../../scripts/lab/apt.ts";
import { Child } from "../../scripts/lab/child.ts";
import { dockerPath } from "../../scripts/lab/docker-programs.ts";
import { commandLine, findProcesses } from "../../scripts/lab/processes.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";
import { tempDir } from "./temp-dir.ts";

/** An OpenSSH server on 127.0.0.1 with keys of its own, and a client that uses nothing else. */
export interface SshServer extends AsyncDisposable {
  readonly port: number;
  /** "root@127.0.0.1:15001" */
  readonly address: string;
  /** Folder with the client, to be the first in PATH. */
  readonly bin: string;
  /** Logins so far. */
  logins(): number;
  /** Pids of the clients that are connected to it. */
  clients(): readonly number[];
  /** The host key that the client knows is that of another host, or again the right one. */
  trust(right: boolean): Promise<void>;
  /** The client's key is let in, or no longer. */
  letIn(yes: boolean): Promise<void>;
}

export async function startSshServer(): Promise<SshServer> {
  await installPackages(["openssh-server", "openssh-client"]);
  await mkdir("/run/sshd", { recursive: true });
  const dir = await tempDir();
  const [port, user] = [await freePort(), userInfo().username];
  const at = (name: string): string => join(dir.path, name);
  for (const key of ["host", "other", "client"])
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", at(key)]);
  const known = async (key: string): Promise<void> => {
    const { stdout } = await execa("cut", ["-d", " ", "-f", "1,2", at(`${key}.pub`)]);
    await writeFile(at("known_hosts"), `[127.0.0.1]:${port} ${stdout}\n`);
  };
  await known("host");
  await copyFile(at("client.pub"), at("authorized_keys"));
  await writeFile(at("sshd_config"), serverConfig(dir.path, port));
  await writeFile(at("ssh_config"), clientConfig(dir.path));
  await mkdir(at("bin"));
  await writeFile(at("bin/ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F ${at("ssh_config")} "$@"\n`);
  await chmod(at("bin/ssh"), 0o755);
  const child = new Child({
    command: ["/usr/sbin/sshd", "-D", "-e", "-f", at("sshd_config")],
    logFile: at("log"),
  });
  await eventually(() => {
    if (!child.log().includes("Server listening")) throw new Error(child.log());
  });
  return {
    port,
    address: `${user}@127.0.0.1:${port}`,
    bin: at("bin"),
    logins: () => child.log().split("Accepted publickey").length - 1,
    clients: () => findProcesses((pid) => commandLine(pid).startsWith(`/usr/bin/ssh -F ${dir.path}/`)),
    trust: (right) => known(right ? "host" : "other"),
    letIn: (yes) => copyFile(at(yes ? "client.pub" : "other.pub"), at("authorized_keys")),
    async [Symbol.asyncDispose]() {
      await child.kill();
      await dir[Symbol.asyncDispose]();
    },
  };
}

const serverConfig = (dir: string, port: number): string => `ListenAddress 127.0.0.1
Port ${port}
HostKey ${dir}/host
AuthorizedKeysFile ${dir}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
SetEnv PATH=${dockerPath()}
`;

const clientConfig = (dir: string): string => `IdentityFile ${dir}/client
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile ${dir}/known_hosts
GlobalKnownHostsFile /dev/null
`;
