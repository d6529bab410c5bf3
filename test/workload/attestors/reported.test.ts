import assert from "node:assert/strict";
import { test } from "node:test";
import { VouchsafeError } from "../../../src/errors.ts";
import { type Attestation, NOTHING } from "../../../src/workload/attestors/attestor.ts";
import { type AttestorLogEntry, reported } from "../../../src/workload/attestors/reported.ts";
import { denied } from "../../../src/workload/denied.ts";
import { readProcessStatus } from "../../../src/workload/process-status.ts";

test("an attestor that ceases to answer is reported once, and once when it is back", {
  skip: process.platform !== "linux" && "only Linux attests",
}, async () => {
  const FOUND: Attestation = { selectors: ["docker:label:a:b"], components: {} };
  const away = new VouchsafeError("unavailable", "away");
  const answers = [FOUND, denied("container-mismatch", "no"), away, away, NOTHING, away, FOUND, FOUND, away];
  const entries: AttestorLogEntry[] = [];
  const attest = async () => {
    const answer = answers.shift() ?? NOTHING;
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const attestor = reported({ name: "docker", attest }, (entry) => entries.push(entry));
  const status = await readProcessStatus(process.pid);
  while (answers.length > 0) {
    await attestor.attest({ pid: process.pid, status, executable: "" }).catch(() => {});
  }
  assert.deepEqual(entries, [
    { event: "attestor unavailable", attestor: "docker", reason: "away" },
    { event: "attestor back", attestor: "docker" },
    { event: "attestor unavailable", attestor: "docker", reason: "away" },
  ]);
});
