import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { issueSummary } from "../../../src/services/decisions/issue-summary.ts";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import { openNode, type TestNode } from "../../http/node.ts";
import { signRelease } from "../../http/release.ts";
import { callerWith, openReleaseHouse, type ReleaseHouse } from "../release-node.ts";

const MINUTE = 60_000;
const VERIFIER = "https://vouchsafe.local/log";

/** The policy that docs/vsa.md shows, about resources that are named by digest. */
const [, SHOWN = ""] =
  /```yaml\n(.*?)```/s.exec(readFileSync(new URL("../../../docs/vsa.md", import.meta.url), "utf8")) ?? [];
const VOUCHED = SHOWN.replace("https://vouchsafe.example/log", VERIFIER).replace("pkg:oci/app@*", "sha256:*");
const POLICIES = {
  "vouched.yaml": VOUCHED,
  "other.yaml": VOUCHED.replace("vouched-elsewhere", "other").replace(VERIFIER, "https://other.example"),
  "higher.yaml": VOUCHED.replace("vouched-elsewhere", "higher").replace("LEVEL_2", "LEVEL_4"),
};

describe("a verification summary at another Vouchsafe", () => {
  let house: ReleaseHouse;
  let issuing: TestNode;
  let directory: string;
  let elsewhere: TestNode;
  before(async () => {
    house = await openReleaseHouse();
    issuing = await house.open();
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-elsewhere-"));
    const policies = join(directory, "policies");
    await mkdir(policies);
    for (const [file, text] of Object.entries(POLICIES)) await writeFile(join(policies, file), text);
    const { publicKey } = issuing.v.summaries.key;
    const trust = { sigstore: [], keys: [{ name: "vouchsafe-example", publicKey }] };
    await writeFile(join(directory, "trust.json"), JSON.stringify(trust));
    elsewhere = await openNode({
      VOUCHSAFE_POLICIES: policies,
      VOUCHSAFE_TRUST: join(directory, "trust.json"),
    });
  });
  after(async () => {
    await elsewhere.close();
    await house.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function summary() {
    const { digest, bundle } = await signRelease(house.sigstore);
    await pushAttestation(issuing.v, callerWith(issuing, ["uploader"]), { bytes: bundle });
    const answer = await issueSummary(issuing.v, callerWith(issuing, ["issuer"]), { digest });
    assert.ok(answer.case === "summary");
    return { digest, bytes: Buffer.from(answer.envelope) };
  }
  const push = (bytes: Uint8Array) =>
    pushAttestation(elsewhere.v, callerWith(elsewhere, ["uploader"]), { bytes });
  const ask = (digest: string, policy = "vouched-elsewhere") =>
    verifyDigest(elsewhere.v, callerWith(elsewhere, ["issuer"], [policy]), { digest });

  test("is evidence that allows, by key, verifier, resource and level, until it ends", async () => {
    const { digest, bytes } = await summary();
    await push(bytes);
    const allowed = await ask(digest);
    assert.equal(allowed.decision, "allow", JSON.stringify(allowed));
    assert.equal((await ask(digest, "other")).decision, "deny");
    assert.equal((await ask(digest, "higher")).decision, "deny");
    const { payload } = JSON.parse(bytes.toString());
    const { predicate } = JSON.parse(Buffer.from(payload, "base64").toString());
    assert.equal(allowed.validUntil, predicate.vouchsafe_validUntil);
    elsewhere.advance(10 * MINUTE);
    assert.equal((await ask(digest)).decision, "deny");
  });

  test("is refused when a byte of it was changed", async () => {
    const envelope = JSON.parse((await summary()).bytes.toString());
    const payload = Buffer.from(envelope.payload, "base64").toString().replace("LEVEL_3", "LEVEL_2");
    const altered = { ...envelope, payload: Buffer.from(payload).toString("base64") };
    await assert.rejects(push(Buffer.from(JSON.stringify(altered))), { code: "signature-invalid" });
  });
});
