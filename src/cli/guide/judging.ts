import type { Guide } from "./guide.ts";

export const JUDGING: readonly (readonly [string, Guide])[] = [
  [
    "policy lint",
    { examples: ["vouchsafe policy lint policies/"], done: "nothing wrong", refused: "something is wrong" },
  ],
  [
    "policy test",
    { examples: ["vouchsafe policy test policies/"], done: "all pass", refused: "a case fails" },
  ],
  [
    "policy explain",
    {
      examples: [
        "vouchsafe policy explain policies/app.yaml",
        "vouchsafe policy explain policies/app.yaml --evidence app.sigstore.json --artifact ./app.tgz",
      ],
    },
  ],
  [
    "policy simulate",
    {
      asks: "POST /policies/simulate",
      roles: ["operator", "auditor"],
      examples: ["vouchsafe policy simulate policies/"],
    },
  ],
  [
    "policy report",
    {
      asks: "GET /reports/would-deny",
      roles: ["operator", "auditor"],
      examples: ["vouchsafe policy report"],
    },
  ],
  [
    "policy show",
    {
      asks: "GET /policies",
      roles: ["auditor", "operator", "approver", "uploader", "issuer"],
      examples: ["vouchsafe policy show"],
    },
  ],
  [
    "policy activate",
    { asks: "POST /policies", roles: ["operator"], examples: ["vouchsafe policy activate policies/"] },
  ],
  [
    "trust show",
    {
      asks: "GET /trust",
      roles: ["auditor", "operator"],
      examples: ["vouchsafe trust show", "vouchsafe trust show --document > trust.json"],
    },
  ],
  [
    "trust activate",
    { asks: "POST /trust", roles: ["operator"], examples: ["vouchsafe trust activate trust.json"] },
  ],
  [
    "trust import",
    { asks: "POST /trust", roles: ["operator"], examples: ["vouchsafe trust import scanner.pub"] },
  ],
  [
    "trust refresh",
    { asks: "POST /trust/refresh", roles: ["operator"], examples: ["vouchsafe trust refresh"] },
  ],
  [
    "approve",
    {
      asks: "POST /artifacts/:digest/approvals",
      roles: ["approver"],
      examples: ["vouchsafe approve ./app.tgz --policy app-release"],
    },
  ],
  [
    "exception grant",
    {
      asks: "POST /artifacts/:digest/exceptions",
      roles: ["operator"],
      examples: [
        'vouchsafe exception grant ./app.tgz --policy app-release --owner ops@acme.example --for 8h --reason "hotfix 42"',
      ],
    },
  ],
  [
    "exception ls",
    {
      asks: "GET /exceptions",
      roles: ["operator", "auditor", "issuer"],
      examples: ["vouchsafe exception ls"],
    },
  ],
  [
    "exception withdraw",
    {
      asks: "POST /artifacts/:digest/exceptions/:id/withdraw",
      roles: ["operator"],
      examples: ['vouchsafe exception withdraw ./app.tgz ID --reason "released properly"'],
    },
  ],
  [
    "quarantine add",
    {
      asks: "POST /quarantines",
      roles: ["operator"],
      examples: [
        'vouchsafe quarantine add ./app.tgz --reason "CVE-2026-0001"',
        "vouchsafe quarantine add --builder https://ci.acme.example/runner-3 --dry-run",
      ],
    },
  ],
  [
    "quarantine ls",
    {
      asks: "GET /quarantines",
      roles: ["operator", "auditor", "issuer"],
      examples: ["vouchsafe quarantine ls"],
    },
  ],
  [
    "quarantine lift",
    {
      asks: "POST /quarantines/:id/lift",
      roles: ["operator"],
      examples: ['vouchsafe quarantine lift ID --reason "patched"'],
    },
  ],
  [
    "revoke attestation",
    {
      asks: "POST /revocations",
      roles: ["operator"],
      examples: ['vouchsafe revoke attestation bundle.sigstore.json --reason "built by mistake"'],
    },
  ],
  [
    "revoke signer",
    {
      asks: "POST /revocations",
      roles: ["operator"],
      examples: ['vouchsafe revoke signer --key scanner --from 2026-05-01T00:00:00Z --reason "key stolen"'],
    },
  ],
  [
    "revoke builder",
    {
      asks: "POST /revocations",
      roles: ["operator"],
      examples: ['vouchsafe revoke builder https://ci.acme.example/runner-3 --reason "runner compromised"'],
    },
  ],
  [
    "revoke repository",
    {
      asks: "POST /revocations",
      roles: ["operator"],
      examples: [
        'vouchsafe revoke repository https://github.com/acme/app --reason "pushed to by a stranger"',
      ],
    },
  ],
  [
    "revoke artifact",
    {
      asks: "POST /revocations",
      roles: ["operator"],
      examples: ['vouchsafe revoke artifact ./app.tgz --reason "backdoor"'],
    },
  ],
  [
    "revocation ls",
    {
      asks: "GET /revocations",
      roles: ["operator", "auditor", "issuer"],
      examples: ["vouchsafe revocation ls"],
    },
  ],
  [
    "revocation withdraw",
    {
      asks: "POST /revocations/:id/withdraw",
      roles: ["operator"],
      examples: ['vouchsafe revocation withdraw ID --reason "false alarm"'],
    },
  ],
  [
    "retention show",
    {
      asks: "GET /artifacts/:digest/retention",
      roles: ["operator", "auditor"],
      examples: ["vouchsafe retention show ./app.tgz"],
    },
  ],
  [
    "retention assign",
    {
      asks: "POST /artifacts/:digest/retention",
      roles: ["operator"],
      examples: ['vouchsafe retention assign ./app.tgz seven-years --reason "audited product"'],
    },
  ],
  [
    "retention hold",
    {
      asks: "POST /holds",
      roles: ["operator"],
      examples: ['vouchsafe retention hold ./app.tgz --reason "case 2026-17"'],
    },
  ],
  [
    "retention holds",
    { asks: "GET /holds", roles: ["operator", "auditor"], examples: ["vouchsafe retention holds"] },
  ],
  [
    "retention release",
    {
      asks: "POST /holds/:id/release",
      roles: ["operator"],
      examples: ['vouchsafe retention release ID --reason "case closed"'],
    },
  ],
  [
    "retention sweep",
    {
      asks: "POST /retention/sweep",
      roles: ["operator"],
      examples: ["vouchsafe retention sweep --dry-run", "vouchsafe retention sweep"],
    },
  ],
];
