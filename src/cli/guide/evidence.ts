import type { Guide } from "./guide.ts";

export const EVIDENCE: readonly (readonly [string, Guide])[] = [
  [
    "push",
    {
      asks: "POST /attestations",
      roles: ["uploader", "operator"],
      examples: [
        "vouchsafe push bundle.sigstore.json",
        "gh attestation download app.tgz --repo acme/app && vouchsafe push sha256*.jsonl",
      ],
    },
  ],
  [
    "verify",
    {
      examples: [
        "vouchsafe verify app.tgz --bundle app.sigstore.json --repo acme/app",
        "vouchsafe verify app.tgz --from github:acme/app --repo acme/app",
        "vouchsafe verify oci://ghcr.io/acme/app:v1.2.3 --source-uri github.com/acme/app --source-tag v1.2.3",
        "vouchsafe verify app.tgz --bundle app.intoto.jsonl --source-uri github.com/acme/app --source-tag v1.2.3",
        "vouchsafe verify app.tgz --bundle app.sigstore.json \\\n      --certificate-identity https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1.2.3 \\\n      --certificate-oidc-issuer https://token.actions.githubusercontent.com",
      ],
      done: "verified",
    },
  ],
  [
    "discover",
    {
      asks: "POST /artifacts/:digest/discover",
      roles: ["uploader", "operator"],
      examples: [
        "vouchsafe discover oci://ghcr.io/acme/app:v1.2.3 --from github:acme/app",
        "vouchsafe discover npm:@acme/app@1.2.3 --output evidence/",
      ],
      done: "found",
      refused: "nothing there, or refused",
    },
  ],
  [
    "verify-digest",
    {
      asks: "GET /verify-digest",
      roles: ["issuer", "agent", "operator", "auditor", "uploader"],
      examples: ["vouchsafe verify-digest ./app.tgz --policy app-release"],
      done: "allowed",
      refused: "denied",
    },
  ],
  [
    "artifact show",
    {
      asks: "GET /artifacts/:digest",
      roles: ["uploader", "issuer", "auditor", "operator", "approver"],
      examples: ["vouchsafe artifact show ./app.tgz"],
    },
  ],
  [
    "artifact find",
    {
      asks: "GET /artifacts",
      roles: ["uploader", "issuer", "auditor", "operator", "approver"],
      examples: ["vouchsafe artifact find --repository https://github.com/acme/app"],
    },
  ],
  [
    "custody show",
    {
      asks: "GET /custody/:digest",
      roles: ["auditor", "operator"],
      examples: ["vouchsafe custody show ./app.tgz"],
    },
  ],
  [
    "custody export",
    {
      asks: "GET /custody/:digest.pack",
      roles: ["auditor", "operator"],
      examples: ["vouchsafe custody export ./app.tgz --output custody.jsonl"],
    },
  ],
  [
    "custody verify",
    {
      examples: ['vouchsafe custody verify custody.jsonl --log-key "$(cat log.key)"'],
      done: "it holds",
      refused: "it does not hold",
      failed: "the log that --log names gives no answer",
    },
  ],
  ["vsa key", { asks: "anybody", examples: ["vouchsafe vsa key > vouchsafe-vsa.pub"] }],
];
