import assert from "node:assert/strict";
import { test } from "node:test";
import { networkOf } from "../src/ip-address.ts";

const NETWORKS: readonly (readonly [network: string, addresses: readonly string[]])[] = [
  ["192.0.2.1", ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201", "::FFFF:192.0.2.1"]],
  ["192.0.2.7", ["64:ff9b::192.0.2.7", "2002:c000:207::1", "2002:c000:207:ffff:ffff:ffff:ffff:ffff"]],
  ["2001:db8:0:7::/64", ["2001:db8:0:7::", "2001:DB8::7:ffff:ffff:ffff:ffff", "2001:0db8:0:0007:1:2:3:4"]],
  ["2001:db8:0:8::/64", ["2001:db8:0:8::1"]],
  ["fe80:0:0:0::/64", ["fe80::1", "fe80::1%eth0", "fe80::2%eth1"]],
  ["0:0:0:0::/64", ["::1"]],
];

test("addresses of one network count as one, and an IPv4 address however it is written", () => {
  for (const [network, addresses] of NETWORKS)
    for (const address of addresses) assert.equal(networkOf(address), network, address);
});

test("clients that are gone before their address is asked for count as one", () => {
  assert.equal(networkOf(undefined), "gone");
});
