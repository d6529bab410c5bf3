import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import type { PackCheck } from "../../../src/custody/pack/report.ts";
import { type PackDemands, verifyPack } from "../../../src/custody/verify-pack.ts";
import { sha256 } from "../../../src/in-toto-attestation/index.ts";
import { loadPolicySet } from "../../../src/policy/load.ts";
import { ed25519Cosigner } from "../../../src/tlog/cosignature.ts";
import { parseNote } from "../../../src/tlog/note.ts";
import { parseWitnessPolicy } from "../../../src/tlog/witness-policy.ts";
import { buildPack } from "../build-pack.ts";
import {
  ARTIFACT,
  byBuilder,
  firstPolicies,
  firstTrust,
  otherTrust,
  scanBySecond,
  secondPolicies,
  widerTrust,
} from "../evidence.ts";
import { logSigner, smallLog } from "../small-log.ts";

const log = smallLog();
log.activateTrust(widerTrust);
log.activatePolicies(firstPolicies);
log.push(byBuilder("run"));
log.push(scanBySecond("run"));
const input = log.packInput();
const pack = buildPack(input);

/** What is said of the auditor's own demands. What held then is said beside it as ever. */
function verified(demands: PackDemands, file = pack): readonly PackCheck[] {
  const report = verifyPack(file, logSigner.verifierKey, demands);
  const own = report.checks.filter(({ check }) => ["trusted-root", "policy", "witnesses"].includes(check));
  const others = report.checks.filter((check) => !own.includes(check));
  assert.ok(others.every(({ status }) => status !== "fails"));
  assert.equal(
    report.ok,
    own.every(({ status }) => status !== "fails"),
  );
  return own;
}

function told(checks: readonly PackCheck[]): string[] {
  return checks.map(({ check, status }) => `${check} ${status}`);
}

test("each attestation is verified under the auditor's own trust, and the artifact judged under it", () => {
  assert.deepEqual(verified({}), []);
  const both = told(verified({ trust: widerTrust }));
  assert.deepEqual(both, ["trusted-root holds", "trusted-root holds", "policy holds"]);
  const provenanceOnly = told(verified({ trust: firstTrust }));
  assert.deepEqual(provenanceOnly, ["trusted-root holds", "trusted-root fails", "policy holds"]);
  const scanOnly = verified({ trust: otherTrust });
  assert.deepEqual(told(scanOnly), ["trusted-root fails", "trusted-root holds", "policy fails"]);
  assert.match(
    scanOnly[2]?.statement ?? "",
    /under the trust given.* fails \(.*last verdict of release passed/,
  );
});

function policiesAbout(name: string, artifacts: string) {
  const text = `
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: ${name} }
spec:
  artifacts: ${artifacts}
  signers: [{ key: builder }]
  builders: [{ id: https://builder.example/ci, level: 3 }]
  buildTypes: [https://builder.example/type]
  externalParameters: { ignore: ["**"] }
`;
  return loadPolicySet([{ name: `${name}.yaml`, text }]);
}

test("the artifact is judged by the auditor's own policies: those of its verdicts' names, and those about it", () => {
  assert.deepEqual(told(verified({ policies: secondPolicies })), ["policy holds"]);
  const [mine] = verified({ policies: policiesAbout("mine", '{ names: ["**"] }') });
  assert.equal(mine?.status, "holds");
  assert.match(mine?.statement ?? "", /SLSA level 3; the log has no verdict of mine/);

  const another = `{ digests: ["${sha256("no such artifact")}"] }`;
  const [sameName] = verified({ policies: policiesAbout("release", another) });
  assert.equal(sameName?.status, "fails");
  const [elsewhere] = verified({ policies: policiesAbout("elsewhere", another) });
  assert.match(elsewhere?.statement ?? "", /^None of the policies given/);
});

test("a pass says that the artifact is in quarantine, of which policies know nothing", () => {
  const denied = smallLog();
  denied.activateTrust(widerTrust);
  denied.activatePolicies(firstPolicies);
  denied.push(byBuilder("run"));
  const body = { id: "q", artifact: ARTIFACT, reason: "leak", caller: "token" };
  denied.append({ type: "quarantine.opened", about: [ARTIFACT], body });
  const [judged] = verified({ policies: firstPolicies }, buildPack(denied.packInput()));
  assert.match(judged?.statement ?? "", /passes at SLSA level .*, and sha256:[0-9a-f]+ is in quarantine\.$/);
});

test("attestations whose bytes are gone can be verified under no other trust", () => {
  const expiring = smallLog();
  expiring.activateTrust(firstTrust);
  expiring.activatePolicies(firstPolicies);
  expiring.push(byBuilder("old"));
  expiring.push(byBuilder("new"));
  expiring.expire(sha256(byBuilder("old")));
  const own = told(verified({ trust: firstTrust }, buildPack(expiring.packInput())));
  assert.deepEqual(own, ["trusted-root not-re-verifiable", "trusted-root holds", "policy holds"]);
});

test("the witnesses that the auditor believes must have cosigned the checkpoint", () => {
  const ada = ed25519Cosigner("ada.example", generateKeyPairSync("ed25519").privateKey);
  const bob = ed25519Cosigner("bob.example", generateKeyPairSync("ed25519").privateKey);
  const policy = (quorum: string) =>
    parseWitnessPolicy(
      Buffer.from(
        `witness ada ${ada.verifierKey}\nwitness bob ${bob.verifierKey}\ngroup both 2 ada bob\nquorum ${quorum}\n`,
      ),
    );
  const cosignedBy = (line: string) => buildPack({ ...input, checkpoint: input.checkpoint + line });
  const cosigned = cosignedBy(ada.cosign(parseNote(input.checkpoint).text, 1_700_000_000));
  assert.deepEqual(told(verified({ witnesses: policy("ada") }, cosigned)), ["witnesses holds"]);
  assert.deepEqual(told(verified({ witnesses: policy("both") }, cosigned)), ["witnesses fails"]);
  const noDate = cosignedBy(ada.cosign(parseNote(input.checkpoint).text, Number.MAX_SAFE_INTEGER));
  assert.deepEqual(told(verified({ witnesses: policy("ada") }, noDate)), ["witnesses holds"]);
  assert.deepEqual(told(verified({ witnesses: policy("ada") })), ["witnesses fails"]);
  const forged = cosignedBy(ada.cosign("another\n1\nAAAA\n", 1_700_000_000));
  assert.match(verified({ witnesses: policy("ada") }, forged)[0]?.statement ?? "", /do not hold/);
});
