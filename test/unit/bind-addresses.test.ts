import { expect, it } from "vitest";
import { bindAddresses } from "../../src/core/bind-addresses.ts";

it("finds plain TCP addresses and leaves out what it cannot tell", () => {
  const text = `frontend a
    bind *:80
    bind :81 name x
    bind 127.0.0.1:82,127.0.0.2:83 ssl crt /x
    bind [::]:84 v4v6
    bind ipv4@10.0.0.1:85
    bind /run/x.sock
    bind unix@/run/x.sock
    bind *:90-99
    bind quic4@:443
    bind host.example:86
    bind "\${PORT}"
backend b
    bind *:1
listen l
    bind [fd00::5]:87
`;
  const found = bindAddresses(text).map(({ host, port, line }) => `${line} ${host ?? "*"} ${port}`);
  expect(found).toEqual([
    "2 * 80",
    "3 * 81",
    "4 127.0.0.1 82",
    "4 127.0.0.2 83",
    "5 :: 84",
    "6 10.0.0.1 85",
    "16 fd00::5 87",
  ]);
});
