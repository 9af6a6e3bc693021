import { expect, test } from "vitest";
import type { DockerEndpoint } from "../../src/discovery/docker-endpoint.ts";
import { dockerError } from "../../src/discovery/docker-error.ts";
import { SourceError } from "../../src/lib/errors.ts";

const endpoint: DockerEndpoint = {
  kind: "unix",
  path: "/var/run/docker.sock",
  shown: "/var/run/docker.sock",
};
const failure = (given: object): Error => Object.assign(new Error("what Node said"), given);

const table = [
  [{ code: "ENOENT" }, "no Docker socket at /var/run/docker.sock: is Docker running"],
  [{ code: "EACCES" }, "permission denied on /var/run/docker.sock: add the user to the docker group"],
  [{ code: "ECONNREFUSED" }, "nobody listens at /var/run/docker.sock"],
  [{ code: "ENOTFOUND" }, "the name of the Docker host /var/run/docker.sock cannot be resolved"],
  [{ code: "EHOSTUNREACH" }, "cannot be reached"],
  [{ code: "ECONNRESET" }, "closed the connection"],
  [{ code: "ERR_TLS_CERT_ALTNAME_INVALID" }, "is for other names: use one of them in DOCKER_HOST"],
  [{ code: "SELF_SIGNED_CERT_IN_CHAIN" }, "is not signed by"],
  [{ code: "CERT_NOT_YET_VALID" }, "compare the clocks"],
  [{ code: "ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE" }, "have it signed for use by a client"],
  [{ code: "ERR_SSL_WRONG_VERSION_NUMBER" }, "does not speak TLS there"],
  [{ code: "EPROTO" }, "TLS trouble with the Docker engine at /var/run/docker.sock"],
  [{ statusCode: 403 }, "a proxy in front of the Docker socket must allow CONTAINERS, EVENTS and PING"],
  [{ statusCode: 500 }, "answered with status 500"],
  [{}, "cannot talk to the Docker engine at /var/run/docker.sock"],
] as const;

test.each(table)("%j", (given, words) => {
  const thrown = failure(given);
  const error = dockerError(thrown, endpoint);
  expect(error).toBeInstanceOf(SourceError);
  expect(error.message).toContain(words);
  expect(error.cause).toBe(thrown);
});

test("words that are there already stay", () => {
  const error = new SourceError("as it was");
  expect(dockerError(error, endpoint)).toBe(error);
  expect(dockerError("no error at all", endpoint).message).toContain("cannot talk to");
});
