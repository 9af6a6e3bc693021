import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority that nobody trusts but this test. */
export interface ThrowawayCa {
  /** Path of the authority's certificate. */
  readonly ca: string;
  /**
   * Signs a certificate for 127.0.0.1, ::1 and localhost, for a server as well as for a client.
   * @param options.days How long it is valid from now on; 2 when not given, -1 = until yesterday.
   */
  issue(name: string, options?: { days?: number }): Promise<Certificate>;
}

/** Makes the authority with openssl; its files go into `folder` and begin with `name`. */
export async function throwawayCa(folder: string, name = "ca"): Promise<ThrowawayCa> {
  const file = (base: string): string => join(folder, `${name}-${base}`);
  const [ca, caKey] = [file("ca.pem"), file("ca.key")];
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await openssl(
    "req",
    "-x509",
    ...newKey,
    "-keyout",
    caKey,
    "-out",
    ca,
    "-days",
    "2",
    "-subj",
    `/CN=${name}`,
  );
  return {
    ca,
    async issue(subject, { days = 2 } = {}) {
      const [cert, key, request] = [file(`${subject}.pem`), file(`${subject}.key`), file(`${subject}.csr`)];
      const extensions = file("extensions");
      await writeFile(extensions, "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost\n");
      await openssl("req", ...newKey, "-keyout", key, "-out", request, "-subj", `/CN=${subject}`);
      const signer = ["-CA", ca, "-CAkey", caKey, "-CAcreateserial", "-extfile", extensions];
      await openssl("x509", "-req", "-in", request, "-out", cert, "-days", String(days), ...signer);
      return { cert, key };
    },
  };
}

const openssl = (...args: readonly string[]): Promise<unknown> => execa("openssl", args);
