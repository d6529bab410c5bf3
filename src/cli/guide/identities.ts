import type { Guide } from "./guide.ts";

export const IDENTITIES: readonly (readonly [string, Guide])[] = [
  [
    "identities",
    { asks: "GET /identities", roles: ["auditor", "operator"], examples: ["vouchsafe identities ./app.tgz"] },
  ],
  [
    "inventory",
    { asks: "GET /inventory", roles: ["auditor", "operator"], examples: ["vouchsafe inventory"] },
  ],
  ["svid inspect", { examples: ["vouchsafe svid inspect svid.pem"] }],
  [
    "svid verify",
    {
      examples: ["vouchsafe svid verify svid.pem --bundle trust-bundle.json"],
      done: "it holds",
      refused: "it does not hold",
    },
  ],
  [
    "federation ls",
    {
      asks: "GET /federation",
      roles: ["agent", "issuer", "auditor", "operator"],
      examples: ["vouchsafe federation ls"],
    },
  ],
  [
    "authority ls",
    {
      asks: "GET /authorities",
      roles: ["operator", "auditor"],
      installation: true,
      examples: ["vouchsafe authority ls"],
    },
  ],
  [
    "authority retire",
    {
      asks: "POST /authorities/retire",
      roles: ["operator"],
      installation: true,
      examples: ['vouchsafe authority retire ID --reason "node stolen"'],
    },
  ],
  [
    "agent",
    {
      asks: "POST /agents",
      roles: ["agent"],
      examples: [
        "vouchsafe agent --socket /run/vouchsafe/agent.sock --data-dir /var/lib/vouchsafe-agent --join-token-file join-token",
      ],
      noJson: "it serves until it is stopped, and prints the lines of a log",
    },
  ],
  [
    "agent revoke",
    {
      asks: "POST /agents/revoke",
      roles: ["operator"],
      examples: [
        'vouchsafe agent revoke spiffe://acme.example/vouchsafe/agent/node-1 --reason "node stolen"',
      ],
    },
  ],
  [
    "admission",
    {
      asks: "POST /verify-digest",
      roles: ["issuer", "agent", "operator", "auditor", "uploader"],
      examples: [
        "vouchsafe --server https://vouchsafe.example.com admission --tls-cert tls.crt --tls-key tls.key --policy app-release",
      ],
    },
  ],
  ["spire-plugin", { examples: ["vouchsafe spire-plugin"], noJson: "SPIRE speaks gRPC with it" }],
];
