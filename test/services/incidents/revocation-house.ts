import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { verifyPack } from "../../../src/custody/verify-pack.ts";
import { readChain, readHead } from "../../../src/db/log.ts";
import { type Digest, type JsonObject, sha256 } from "../../../src/in-toto-attestation/index.ts";
import { verifyDigest } from "../../../src/services/decisions/verify-digest.ts";
import { pushAttestation } from "../../../src/services/evidence/push-attestation.ts";
import {
  previewRevocation,
  revokeEvidence,
  withdrawRevocation,
} from "../../../src/services/incidents/revocations.ts";
import { actionsClaims, actionsIdentity } from "../../sigstore/github-actions.ts";
import { slsaProvenance } from "../../sigstore/provenance.ts";
import { packOf } from "../../support/packs.ts";
import { createPostgres, stopPostgres } from "../../support/postgres.ts";
import { WORKLOADS } from "../identities/identity-house.ts";
import { callerWith, openReleaseHouse } from "../release-node.ts";

export const POLICY = "built";
/** Any workflow of any repository of acme: each test has builders and signers of its own. */
export const BUILT = `apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: ${POLICY} }
spec:
  artifacts: { names: ["widget*"] }
  signers:
    - issuer: https://token.actions.githubusercontent.com
      identity: "https://github.com/acme/*/.github/workflows/*.yml@refs/heads/main"
  builders:
    - { id: "https://github.com/acme/*/.github/workflows/*.yml@refs/heads/main", level: 3 }
  source: { repositories: ["https://github.com/acme/*"] }
  buildTypes: [https://actions.github.io/buildtypes/workflow/v1]
  externalParameters: { ignore: [workflow] }
`;

/** Who builds: a workflow, in a repository of acme. */
export interface Build {
  readonly workflow: string;
  readonly repository?: string;
}

function claimsOf({ workflow, repository = "acme/widget" }: Build) {
  return actionsClaims({ workflow: `.github/workflows/${workflow}.yml`, repository });
}

/** The signer and the builder of a workflow's builds. */
export function signerOf(build: Build) {
  const claims = claimsOf(build);
  return { issuer: claims.iss, identity: actionsIdentity(claims) };
}

/** Two nodes on one database of their own, on which what acme's workflows built is allowed. */
export async function openRevocationHouse() {
  const postgres = await createPostgres();
  const house = await openReleaseHouse(postgres, {
    "built.yaml": BUILT,
    "workloads.yaml": WORKLOADS.replaceAll("policies: [release]", `policies: [${POLICY}]`),
  });
  const [a, b] = await Promise.all([house.open(), house.open()]);
  const operator = () => callerWith(a, ["operator"], [POLICY]);

  async function provenance(digests: readonly Digest[], build: Build): Promise<Uint8Array> {
    const claims = claimsOf(build);
    const subjects = digests.map((digest) => ({ name: "widget", sha256: digest.slice("sha256:".length) }));
    return house.sigstore.signStatement(slsaProvenance(subjects, claims), { claims });
  }
  const push = (bytes: Uint8Array, node = a) => pushAttestation(node.v, operator(), { bytes });
  /** A digest with provenance by each of these, and the attestations' ids. */
  async function release(...builds: readonly Build[]) {
    const digest = sha256(randomBytes(32));
    const ids: Digest[] = [];
    for (const build of builds) ids.push((await push(await provenance([digest], build))).attestation.id);
    return { digest, ids };
  }
  /** Asks the other node, which knows of it what the log tells. */
  async function ask(digest: Digest, node = b) {
    const { size } = await readHead(a.v.database.kysely);
    const answer = await verifyDigest(node.v, operator(), { digest, minSize: size });
    return { ...answer, codes: answer.reasons.map(({ code }) => code) };
  }
  const allows = async (digest: Digest) => (await ask(digest)).decision === "allow";
  async function allowedAmong(digests: readonly Digest[]): Promise<Set<Digest>> {
    const answers = await Promise.all(digests.map((digest) => allows(digest)));
    return new Set(digests.filter((_, i) => answers[i]));
  }
  /** Waits for the event that the background records, without anybody asking. */
  async function failedAfter(index: number, digest: Digest): Promise<void> {
    const isRecorded = async () =>
      (await readChain(a.v.database.kysely, a.v.project, digest)).some(
        (event) => event.index > index && event.type === "verdict.failed" && event.body.policy === POLICY,
      );
    while (!(await isRecorded())) await sleep(20);
  }
  const revoke = (target: JsonObject, reason = "leaked") =>
    revokeEvidence(a.v, operator(), { target, reason });
  const preview = (target: JsonObject) => previewRevocation(a.v, operator(), { target, reason: "leaked" });
  const withdraw = (id: string) => withdrawRevocation(a.v, operator(), { id, reason: "a mistake" });
  const pack = (digest: Digest) => packOf(a.v, operator(), digest);
  const check = (bytes: Uint8Array) => verifyPack(bytes, a.v.log.verifierKey);
  async function assertHolds(digest: Digest) {
    const { checks } = check(await pack(digest));
    assert.deepEqual(
      checks.filter(({ status }) => status !== "holds"),
      [],
    );
    return checks;
  }
  return {
    house,
    a,
    b,
    operator,
    provenance,
    push,
    release,
    ask,
    allows,
    allowedAmong,
    failedAfter,
    revoke,
    preview,
    withdraw,
    pack,
    check,
    assertHolds,
    async close() {
      await house.close();
      await postgres.drop();
      await stopPostgres();
    },
  };
}

export type RevocationHouse = Awaited<ReturnType<typeof openRevocationHouse>>;
