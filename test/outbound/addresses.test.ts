import assert from "node:assert/strict";
import { test } from "node:test";
import { isPublicAddress } from "../../src/outbound/addresses.ts";
import { readOutboundRules, standingOf } from "../../src/outbound/rules.ts";

const PUBLIC = [
  "1.1.1.1",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "169.253.255.255",
  "172.15.255.255",
  "172.32.0.0",
  "192.0.1.0",
  "192.167.255.255",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2001:200::1",
  "3ffe:ffff::1",
  "::ffff:1.1.1.1",
  "64:ff9b::1.1.1.1",
  "2002:101:101::1",
];

const NOT_PUBLIC = [
  "0.0.0.0",
  "0.1.2.3",
  "10.0.0.0",
  "10.255.255.255",
  "100.64.0.1",
  "100.100.100.200", // Alibaba's metadata
  "127.0.0.1",
  "127.255.255.254",
  "168.63.129.16", // Azure's
  "169.254.169.254", // AWS's, Google's, Azure's
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.192", // Oracle's
  "192.0.2.1",
  "192.88.99.1",
  "192.168.0.1",
  "198.18.0.1",
  "198.19.255.255",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::10.0.0.1", // IPv4-compatible
  "::1.1.1.1",
  "::ffff:10.0.0.1",
  "::ffff:7f00:1",
  "0:0:0:0:0:ffff:169.254.169.254",
  "::ffff:0:127.0.0.1", // IPv4-translated
  "64:ff9b::10.0.0.1",
  "64:ff9b::a9fe:a9fe",
  "64:ff9b:1::1.1.1.1", // NAT64 of this network
  "100::1", // discard
  "2001::1", // Teredo
  "2001:2::1",
  "2001:db8::1",
  "2002:7f00:1::",
  "2002:a9fe:a9fe::1",
  "2002:c0a8:101:1::1",
  "3fff::1",
  "3fff:fff::1",
  "4000::1",
  "5f00::1",
  "fc00::1",
  "fd00:ec2::254", // AWS's metadata
  "fdff:ffff::1",
  "fe80::1",
  "fe80::1%eth0",
  "fec0::1",
  "ff02::1",
  "localhost",
  "1.1.1",
  "",
];

test("servers of everybody's stand at public addresses", () => {
  for (const address of PUBLIC) assert.equal(isPublicAddress(address), true, address);
  for (const address of NOT_PUBLIC) assert.equal(isPublicAddress(address), false, address);
});

test("whether a host may be asked is said of all its addresses", () => {
  const entries = ["Registry.internal", "10.1.0.0/16", "192.168.7.7", "fd00:1::/32"];
  const { rules, refused } = readOutboundRules(entries);
  assert.deepEqual(refused, []);
  const cases: [string, string[], string][] = [
    ["ghcr.io", ["1.1.1.1"], "public"],
    ["ghcr.io", ["1.1.1.1", "10.0.0.1"], "refused"],
    ["ghcr.io", ["10.1.2.3", "10.2.0.1"], "refused"],
    ["ghcr.io", ["10.1.2.3", "1.1.1.1"], "refused"],
    ["ghcr.io", [], "refused"],
    ["registry.internal", ["10.9.9.9"], "private"],
    ["registry.internal", [], "refused"],
    ["a.registry.internal", ["10.9.9.9"], "refused"],
    ["other.internal", ["10.1.2.3", "192.168.7.7"], "private"],
    ["other.internal", ["::ffff:10.1.2.3"], "private"],
    ["other.internal", ["fd00:1::5"], "private"],
    ["other.internal", ["fd00:2::5"], "refused"],
    ["192.168.7.7", ["192.168.7.7"], "private"],
    ["192.168.7.8", ["192.168.7.8"], "refused"],
  ];
  for (const [host, addresses, standing] of cases)
    assert.equal(standingOf(host, addresses, rules), standing, `${host} ${addresses}`);
});

test("what names no host, address or block is refused", () => {
  const entries = [
    "https://registry.internal",
    "registry.internal:5000",
    "registry.internal.",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "fd00::/129",
    "10.0.0",
    "*.internal",
    "[::1]",
    "",
  ];
  assert.deepEqual(readOutboundRules(entries).refused, entries);
});
