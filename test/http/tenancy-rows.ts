import { randomBytes } from "node:crypto";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import { SELECTORS } from "../services/identities/identity-house.ts";
import type { Call } from "./calls.ts";
import { type Known, x509Request } from "./tenant.ts";

/** Ways to ask a route by what another project has. */
export type Row = (known: Known) => readonly Omit<Call, "as">[];

/** What is asked without anything of a project's: whoever asks is told of his own. */
const nothing: Row = () => [{}];
const byDigest: Row = ({ digest, otherDigest, manifest, part }) =>
  [digest, otherDigest, manifest, part].map((one) => ({ params: { digest: one } }));
const reason = "because";

/** A row for each route that takes callers of any project. A route without one fails the test. */
export const ROWS: Readonly<Record<string, Row>> = {
  "DELETE /tokens/:id": ({ token }) => [{ params: { id: token } }],
  "GET /artifacts": ({ index }) => [
    {},
    { query: { repository: "https://github.com/acme/widget" } },
    { query: { after: index } },
  ],
  "GET /artifacts/:digest": byDigest,
  "GET /artifacts/:digest/approvals": byDigest,
  "GET /artifacts/:digest/retention": byDigest,
  "GET /attestations/:id": ({ attestation }) => [{ params: { id: attestation } }],
  "GET /custody/:digest": (known) => [
    ...byDigest(known),
    { params: { digest: known.digest }, query: { related: "false", summary: "false" } },
  ],
  "GET /custody/:digest.pack": byDigest,
  "GET /documents/:hash": ({ trust, policySet, manifest, attestation }) =>
    [trust, policySet, manifest, attestation].map((hash) => ({ params: { hash } })),
  "GET /events": nothing,
  "GET /exceptions": nothing,
  "GET /federation": nothing,
  "GET /holds": nothing,
  "GET /identities": (known) => [
    {},
    { query: { digest: known.digest } },
    { query: { spiffeId: known.spiffeId } },
    { query: { serial: known.serial } },
    { query: { requester: known.agent } },
    { query: { after: known.index } },
  ],
  "GET /identities/watch": () => [{ query: { after: "0" } }],
  "GET /inventory": (known) => [
    {},
    { query: { digest: known.digest } },
    { query: { subject: known.spiffeId } },
    { query: { requester: known.agent } },
  ],
  "GET /policies": nothing,
  "GET /quarantines": nothing,
  "GET /registrations": nothing,
  "GET /reports/would-deny": ({ digest }) => [{}, { query: { artifact: digest } }],
  "GET /retention/due": ({ index }) => [{}, { query: { after: index } }],
  "GET /revocations": ({ digest, spiffeId }) => [{}, { query: { digest } }, { query: { spiffeId } }],
  "GET /revocations/:id": ({ revocation }) => [{ params: { id: revocation } }],
  "GET /tokens": nothing,
  "GET /trust": nothing,
  "GET /verify-digest": ({ digest, otherDigest, part }) => [
    ...[digest, otherDigest, part].map((one) => ({ query: { digest: one } })),
    { query: { digest, policy: "release" } },
  ],
  "GET /whoami": nothing,
  "POST /agents": () => [{ json: { csr: "MAA=" } }],
  "POST /agents/renew": () => [{ json: { csr: "MAA=" } }],
  "POST /agents/revoke": ({ agent }) => [{ json: { agent, reason } }],
  "POST /artifacts/:digest/approvals": ({ digest, attestation }) => [
    { params: { digest }, json: { policy: "approved" } },
    { params: { digest }, json: { policy: "approved", attestations: [attestation] } },
  ],
  "POST /artifacts/:digest/approvals/:id/withdraw": ({ digest, approval }) => [
    { params: { digest, id: approval }, json: { reason } },
  ],
  "POST /artifacts/:digest/discover": ({ digest }) => [
    { params: { digest }, json: { from: ["oci://127.0.0.1:1/widget"] } },
  ],
  "POST /artifacts/:digest/exceptions": ({ otherDigest }) => [
    {
      params: { digest: otherDigest },
      json: { policy: "approved", reason, owner: "ops", expiresAt: new Date(Date.now() + 3_600_000) },
    },
  ],
  "POST /artifacts/:digest/exceptions/:id/withdraw": ({ otherDigest, exception }) => [
    { params: { digest: otherDigest, id: exception }, json: { reason } },
  ],
  "POST /artifacts/:digest/retention": ({ digest }) => [
    { params: { digest }, json: { class: "long", reason } },
  ],
  "POST /attestations": () => [{ bytes: new TextEncoder().encode("{}"), type: "application/json" }],
  "POST /decisions": ({ digest }) => [
    {
      json: {
        artifact: digest,
        policies: ["release"],
        decision: "deny",
        asOf: 1,
        grantedTo: "x",
        issuer: "https://vault",
      },
    },
  ],
  "POST /holds": ({ otherDigest }) => [{ json: { artifact: otherDigest, reason } }],
  "POST /holds/:id/release": ({ hold }) => [{ params: { id: hold }, json: { reason } }],
  "POST /log/receipts": ({ index }) => [{ json: { indexes: [Number(index)] } }],
  "POST /manifests": () => [
    { bytes: new TextEncoder().encode("{}"), type: "application/vnd.oci.image.index.v1+json" },
  ],
  "POST /policies": ({ policySet }) => [{ json: { documents: [], previous: policySet } }],
  "POST /policies/simulate": () => [{ json: { documents: [] } }],
  "POST /quarantines": (known) => [
    { json: { target: { artifact: known.digest }, reason, dryRun: true } },
    { json: { target: { spiffeId: known.spiffeId }, reason, dryRun: true } },
    { json: { target: { serial: known.serial }, reason, dryRun: true } },
    // Not of the digests that are asked about below: what is quarantined here is so for all who ask here.
    { json: { target: { artifact: known.part }, reason } },
    { json: { target: { spiffeId: known.spiffeId }, reason } },
    { json: { target: { serial: known.serial }, reason } },
  ],
  "POST /quarantines/:id/lift": ({ quarantine }) => [{ params: { id: quarantine }, json: { reason } }],
  "POST /retention/sweep": () => [{ json: {} }],
  "POST /revocations": ({ digest, attestation, manifest }) => [
    { json: { target: { attestation }, reason, dryRun: true } },
    { json: { target: { artifact: digest }, reason, dryRun: true } },
    { json: { target: { attestation }, reason } },
    { json: { target: { artifact: manifest }, reason } },
  ],
  "POST /revocations/:id/withdraw": ({ revocation }) => [{ params: { id: revocation }, json: { reason } }],
  "POST /svid/federation": () => [{ json: { selectors: SELECTORS } }],
  "POST /svid/jwt": ({ digest, spiffeId }) => [
    {
      json: {
        audiences: ["https://a.example.org"],
        selectors: SELECTORS,
        components: { executable: [digest] },
      },
    },
    {
      json: {
        audiences: ["https://a.example.org"],
        selectors: SELECTORS,
        components: { executable: [sha256(randomBytes(8))] },
        spiffeId,
      },
    },
  ],
  "POST /svid/x509": ({ digest, serial }) => [
    { json: x509Request(digest) },
    { json: { ...x509Request(digest), renews: [serial] } },
  ],
  "POST /tokens": () => [{ json: { name: "theirs", roles: ["auditor"] } }],
  "POST /trust": ({ trust }) => [{ json: { document: { sigstore: [], keys: [] }, previous: trust } }],
  "POST /trust/refresh": () => [{ json: {} }],
  "POST /verify-digest": ({ digest, otherDigest }) => [
    { json: { digest } },
    { json: { digests: [digest, otherDigest] } },
  ],
};

/** Public routes, and how each is found; what they answer names nothing of any project. */
export const PUBLIC: Readonly<Record<string, readonly string[]>> = {
  "GET /crl/:issuer": [],
  "GET /docs": ["/docs"],
  "GET /healthz": ["/healthz"],
  "GET /jwks.json": ["/jwks.json"],
  "GET /log/checkpoint": ["/log/checkpoint"],
  "GET /log/key": ["/log/key"],
  "GET /log/keys": ["/log/keys"],
  "GET /log/proof/consistency": ["/log/proof/consistency?from=1"],
  "GET /log/proof/inclusion": ["/log/proof/inclusion?index=1"],
  "GET /log/tile/:level/*": ["/log/tile/0/000.p/20"],
  "GET /log/tile/entries/*": ["/log/tile/entries/000.p/20"],
  "GET /log/witnesses": ["/log/witnesses"],
  "GET /openapi.json": ["/openapi.json"],
  "GET /readyz": ["/readyz"],
  "GET /revocations/stream": [],
  "GET /trust-bundle": ["/trust-bundle"],
  "GET /vsa/key": ["/vsa/key"],
  "POST /agents/enroll": [],
};
