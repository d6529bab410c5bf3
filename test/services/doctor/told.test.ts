import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { told } from "../../../src/services/doctor/database.ts";
import { enoughMemory, nodeVersion } from "../../../src/services/doctor/machine.ts";
import { ends } from "../../../src/services/doctor/standing.ts";

describe("what is told of", () => {
  const sound = {
    version: "16.4",
    number: 160_004,
    fsync: true,
    now: 0,
    role: "app",
    isSuperuser: false,
    mayChangeLog: false,
    ownsLog: false,
    size: 1,
    maxConnections: 100,
  };
  const levels = (changes: Partial<typeof sound>) =>
    told({ ...sound, ...changes }, 0)
      .filter(({ level }) => level !== "ok")
      .map(({ check, level }) => `${check} ${level}`);

  test("a database", () => {
    assert.deepEqual(levels({}), []);
    assert.deepEqual(levels({ fsync: false }), ["fsync bad"]);
    assert.deepEqual(levels({ number: 120_000 }), ["database warning"]);
    assert.deepEqual(levels({ maxConnections: 20 }), ["database warning"]);
    assert.deepEqual(levels({ now: 6_000 }), ["clock bad"]);
  });

  test("a machine", () => {
    assert.deepEqual([nodeVersion("22.1.0").level, nodeVersion("24.0.0").level], ["bad", "ok"]);
    const mib = 1024 ** 2;
    assert.deepEqual(
      [enoughMemory(1200 * mib, true), enoughMemory(1200 * mib, false)].map(({ level }) => level),
      ["ok", "warning"],
    );
  });

  test("trust that ends", () => {
    const key = (until: string | null) => ({
      name: "release",
      keyId: "k",
      predicateTypes: null,
      thresholds: {},
      from: null,
      until,
    });
    const of = (until: string | null) =>
      ends("default", { sigstore: [], x509: [], keys: [key(until)] }, Date.parse("2026-01-01T00:00:00Z")).map(
        ({ what }) => what,
      );
    assert.deepEqual(of(null), []);
    assert.deepEqual(of("2026-03-01T00:00:00Z"), []);
    assert.deepEqual(of("2026-01-15T00:00:00Z"), [
      "project default: the key release ends 2026-01-15T00:00:00Z",
    ]);
    assert.deepEqual(of("2025-01-15T00:00:00Z"), [
      "project default: the key release ended 2025-01-15T00:00:00Z",
    ]);
  });
});
