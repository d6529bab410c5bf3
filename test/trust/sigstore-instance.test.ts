import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { embeddedPublicGood } from "../../src/trust/embedded.ts";
import { createTrust } from "../../src/trust/snapshot.ts";
import { ALWAYS } from "../../src/trust/time-range.ts";

const instance = embeddedPublicGood();

interface Log {
  publicKey: Record<string, unknown>;
  logId: { keyId: string };
  operator?: string;
}

/** The instance with other logs of this list, as it was read. */
function withLogs(list: "tlogs" | "ctlogs", change: (logs: readonly Log[]) => readonly Log[]) {
  const logs = structuredClone(instance.trustedRoot[list]) as unknown as Log[];
  const trustedRoot = JSON.parse(JSON.stringify({ ...instance.trustedRoot, [list]: change(logs) }));
  const [read] = createTrust({ sigstore: [{ ...instance, trustedRoot }], keys: [] }).instances;
  assert.ok(read);
  return list === "tlogs" ? read.logs : read.ctLogs;
}

describe("a log of a trusted root", () => {
  for (const list of ["tlogs", "ctlogs"] as const) {
    test(`counts once under two ids of its one key, where it names no operator (${list})`, () => {
      const otherId = { keyId: Buffer.alloc(32, 7).toString("base64") };
      const twice = (operator?: string) =>
        withLogs(list, ([log]) =>
          log === undefined
            ? []
            : [
                { ...log, operator: "" },
                { ...log, logId: otherId, ...(operator && { operator }) },
              ],
        );
      const operators = (logs: readonly { readonly operator: string }[]) =>
        new Set(logs.map(({ operator }) => operator)).size;
      assert.equal(operators(twice()), 1);
      assert.equal(operators(twice("acme")), 2);
    });

    test(`has a key of the kind that its details name (${list})`, () => {
      const detailed = (keyDetails: string) => () =>
        withLogs(list, (logs) =>
          logs.map((log) => ({ ...log, publicKey: { ...log.publicKey, keyDetails } })),
        );
      for (const other of ["PKIX_ED25519", "PKIX_ECDSA_P384_SHA_384", "PKIX_RSA_PKCS1V15_2048_SHA256"]) {
        assert.throws(detailed(other), { code: "invalid-trust" });
      }
    });

    test(`whose key has no range is believed at any time (${list})`, () => {
      const [log] = withLogs(list, ([first]) =>
        first === undefined ? [] : [{ ...first, publicKey: { ...first.publicKey, validFor: undefined } }],
      );
      assert.deepEqual(log?.validFor, ALWAYS);
    });
  }
});
