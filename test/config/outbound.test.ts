import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfig } from "../../src/config/config.ts";
import { hasCode } from "../../src/errors.ts";

test("hosts that are named otherwise than they are compared are mistakes", () => {
  const hosts = ["ghcr.io", "registry.internal:5000", "[::1]:5000"].join(",");
  assert.equal(readConfig({ VOUCHSAFE_DISCOVERY_HOSTS: hosts }).discoveryHosts.join(","), hosts);
  for (const mistake of ["https://ghcr.io", "GHCR.io", "ghcr.io:443", "ghcr.io/acme", "user@ghcr.io"])
    assert.throws(
      () => readConfig({ VOUCHSAFE_DISCOVERY_HOSTS: `quay.io,${mistake}` }),
      (error: Error) =>
        hasCode(error, "configuration-invalid") && error.message.includes("VOUCHSAFE_DISCOVERY_HOSTS"),
      mistake,
    );
  for (const mistake of ["https://registry.internal", "registry.internal:5000", "10.0.0.0/33"])
    assert.throws(
      () => readConfig({ VOUCHSAFE_OUTBOUND_PRIVATE: mistake }),
      (error: Error) =>
        hasCode(error, "configuration-invalid") && error.message.includes("VOUCHSAFE_OUTBOUND_PRIVATE"),
      mistake,
    );
});
