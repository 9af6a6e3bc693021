import type { DockerEndpoint } from "./docker-endpoint.ts";

/** A TLS failure by what Node, OpenSSL or the engine call it, and what to tell an operator. The first that fits counts. */
const REASONS: readonly (readonly [RegExp, (engine: string, folder: string) => string])[] = [
  [
    /ALERT_CERTIFICATE_EXPIRED/,
    (engine, folder) =>
      `${engine} says that ${folder}/cert.pem has expired: renew it, it is read at each try`,
  ],
  [
    /ALERT_UNKNOWN_CA|ALERT_\w*CERTIFICATE|ALERT_ACCESS_DENIED|ALERT_HANDSHAKE_FAILURE/,
    (engine, folder) =>
      `${engine} does not accept ${folder}/cert.pem: have it signed for use by a client, by the authority that the engine trusts (its tlscacert)`,
  ],
  [
    /^CERT_HAS_EXPIRED$/,
    (engine) =>
      `the certificate of ${engine} has expired: renew it there, and restart the engine to have it read`,
  ],
  [
    /^CERT_NOT_YET_VALID$/,
    (engine) => `the certificate of ${engine} is not valid yet: compare the clocks of both machines`,
  ],
  [
    /ALTNAME_INVALID|HOSTNAME_MISMATCH/,
    (engine) =>
      `the certificate of ${engine} is for other names: use one of them in DOCKER_HOST, or have it issued for this one too`,
  ],
  [
    /^(?:UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED)/,
    (engine, folder) =>
      `the certificate of ${engine} is not signed by ${folder}/ca.pem: put the certificate of the authority that signed it there`,
  ],
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/,
    (engine) =>
      `${engine} does not speak TLS there: use its other port, or unset DOCKER_TLS_VERIFY and DOCKER_CERT_PATH`,
  ],
  [
    /^ERR_OSSL_/,
    (_, folder) =>
      `ca.pem, cert.pem and key.pem in ${folder} (DOCKER_CERT_PATH) cannot be used: each must be a PEM file, and the key must be that of the certificate`,
  ],
];

/**
 * What a failure between us and an engine has to do with TLS, in words for operators.
 * @param code `code` of the error.
 * @returns null = nothing.
 */
export function explainTls(code: string, endpoint: DockerEndpoint): string | null {
  const folder = endpoint.kind === "tcp" ? (endpoint.certPath ?? "") : "";
  const engine = `the Docker engine at ${endpoint.shown}`;
  const found = REASONS.find(([pattern]) => pattern.test(code));
  if (found !== undefined) return found[1](engine, folder);
  if (!/^(?:ERR_TLS_|ERR_SSL_|CERT_|EPROTO)/.test(code)) return null;
  return `TLS trouble with ${engine}: look at the certificates in DOCKER_CERT_PATH (${folder})`;
}
