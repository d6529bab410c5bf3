import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import pg from "pg";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { evaluateArtifacts } from "../../../src/services/decisions/evaluate-artifacts.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { createPostgres, stopPostgres } from "../../support/postgres.ts";
import { callerWith, openReleaseHouse } from "../release-node.ts";

test("nothing is decided beside evidence that was altered in the database", async (t) => {
  const postgres = await createPostgres();
  const house = await openReleaseHouse(postgres);
  const admin = new pg.Client(postgres.adminUrl);
  await admin.connect();
  t.after(async () => {
    await admin.end();
    await house.close();
    await postgres.drop();
    await stopPostgres();
  });
  const first = await house.open();
  const artifact = { name: "widget", bytes: randomBytes(32) };
  const digest = sha256(artifact.bytes);
  const signed = () => house.sigstore.signStatement(slsaProvenance([artifact]));
  for (const bytes of [await signed(), await signed()])
    await pushAttestation(first.v, callerWith(first, ["operator"]), { bytes });

  // One of two, as somebody would who wants a finding to be overlooked; as a superuser may.
  await admin.query("set session_replication_role = replica");
  await admin.query("update evidence set bytes = bytes || ' ' where id = (select min(id) from evidence)");
  // It remembers none of it.
  const { v } = await house.open();
  await assert.rejects(evaluateArtifacts(v, v.project, [digest]), { code: "log-inconsistent" });
});
