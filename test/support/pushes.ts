import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import type { EventDraft, ProjectId } from "../../src/custody/events.ts";
import type { Appended, Proposal } from "../../src/custody/writer.ts";
import type { Digest } from "../../src/in-toto-attestation/types.ts";

/** When the evidence of these pushes was verified, in milliseconds since the epoch. */
export const ACCEPTED_AT = Date.parse("2026-01-01T00:00:01.000Z");

export const PROJECT = "6f1f7c7e-3f5b-4c39-9a53-0f4a2c1d9b10" as ProjectId;
const TRUST = digestOf("trust");
const WORKFLOW = "https://github.com/example/app/.github/workflows/release.yml@refs/tags/v1.0.0";

export function digestOf(text: string | Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(text).digest("hex")}` as Digest;
}

/** What pushing a Sigstore bundle of the usual size appends: the evidence, its event, and one verdict. */
export function pushProposal(
  artifact: Digest,
  asOf: number,
  { project = PROJECT, evidence = randomBytes(7_500) }: { project?: ProjectId; evidence?: Uint8Array } = {},
): Proposal {
  const id = digestOf(evidence);
  return {
    project,
    asOf,
    restsOn: [artifact, "*"],
    events: [acceptedEvent(artifact, id, evidence.length), verdictEvent(artifact, id)],
    evidence: { id, mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json", bytes: evidence },
  };
}

export function acceptedEvent(artifact: Digest, attestation: Digest, size = 7_500): EventDraft {
  return {
    type: "evidence.accepted",
    about: [artifact],
    body: {
      attestation,
      mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
      size,
      predicateType: "https://slsa.dev/provenance/v1",
      signer: {
        case: "certificate",
        issuer: "https://token.actions.githubusercontent.com",
        identity: WORKFLOW,
        instance: "public-good",
      },
      subjects: [{ name: "app.tar.gz", digests: [artifact] }],
      times: ["2026-01-01T00:00:00.000Z"],
      trust: TRUST,
      verifiedAt: new Date(ACCEPTED_AT).toISOString(),
      source: {
        repository: "https://github.com/example/app",
        ref: "refs/tags/v1.0.0",
        commit: "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
      },
      builder: "https://github.com/actions/runner/github-hosted",
      caller: "tok_uploader",
    },
  };
}

export function verdictEvent(
  artifact: Digest,
  attestation: Digest,
  type: "verdict.passed" | "verdict.failed" = "verdict.passed",
): EventDraft {
  const check = (name: string, value: string) => ({
    check: name,
    passed: type === "verdict.passed",
    expected: value,
    actual: value,
    attestation,
  });
  return {
    type,
    about: [artifact],
    body: {
      policy: "release",
      policyHash: digestOf("policy"),
      policySet: digestOf("policies"),
      trust: TRUST,
      artifacts: [{ digest: artifact, evidenceSet: digestOf(attestation) }],
      attestations: [attestation],
      slsaLevel: 3,
      validUntil: null,
      checks: [
        check("signer", WORKFLOW),
        check("builder", "https://github.com/actions/runner/github-hosted"),
        check("source.repository", "https://github.com/example/app"),
        check("buildType", "https://actions.github.io/buildtypes/workflow/v1"),
      ],
    },
  };
}

/** What a denial records about the artifact that was asked for: no other row follows from it. */
export function identityDenied(artifact: Digest): EventDraft {
  return {
    type: "identity.denied",
    about: [artifact],
    body: {
      requester: "spiffe://example.org/vouchsafe/agent/node-1",
      selectors: ["unix:uid:1000"],
      components: { executable: [artifact] },
      reasons: [{ code: "no-verdict", policy: "release" }],
      count: 1,
      since: "2026-01-01T00:00:00.000Z",
    },
  };
}

/** What an issuer's grant records, that the artifact was allowed. */
export function decisionRecorded(artifact: Digest): EventDraft {
  return {
    type: "decision.recorded",
    about: [artifact],
    body: {
      artifact,
      policies: ["release"],
      decision: "allow",
      asOf: 1,
      grantedTo: "spiffe://example.org/widget",
      issuer: "spire",
      expiresAt: null,
      current: "allow",
      caller: "0123456789abcdef",
    },
  };
}

export function policyActivated(policySet: Digest) {
  return {
    type: "policy.activated",
    about: ["*"],
    body: { previous: null, policySet, policies: [], document: policySet, caller: "tok_operator" },
  } as const satisfies EventDraft;
}

export function committed(appended: Appended): Extract<Appended, { outcome: "committed" }> {
  assert.ok(appended.outcome === "committed", "the proposal was stale");
  return appended;
}
