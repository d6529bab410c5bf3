import type { Guide } from "./guide.ts";

export const OPERATING: readonly (readonly [string, Guide])[] = [
  [
    "whoami",
    {
      asks: "GET /whoami",
      roles: ["uploader", "issuer", "auditor", "approver", "operator", "agent"],
      examples: ["vouchsafe whoami"],
    },
  ],
  [
    "token create",
    {
      asks: "POST /tokens",
      roles: ["operator"],
      examples: [
        "vouchsafe token create --name ci --role uploader",
        "TOKEN=$(vouchsafe token create --name broker --role issuer --policy app-release)",
      ],
    },
  ],
  ["token ls", { asks: "GET /tokens", roles: ["operator"], examples: ["vouchsafe token ls"] }],
  [
    "token revoke",
    { asks: "DELETE /tokens/:id", roles: ["operator"], examples: ["vouchsafe token revoke ID"] },
  ],
  ["log key", { asks: "anybody", examples: ["vouchsafe log key > log.key"] }],
  ["log checkpoint", { asks: "anybody", examples: ["vouchsafe log checkpoint"] }],
  ["log proof", { asks: "anybody", examples: ["vouchsafe log proof 42 > entry-42.tlog-proof"] }],
  [
    "log receipt",
    {
      asks: "POST /log/receipts",
      roles: ["uploader", "issuer", "auditor", "approver", "operator", "agent"],
      examples: ["vouchsafe log receipt 42"],
    },
  ],
  [
    "log verify-receipt",
    {
      asks: "anybody",
      examples: ['vouchsafe log verify-receipt pushed.json --log-key "$(cat log.key)"'],
      done: "it holds",
      refused: "it does not hold",
    },
  ],
  ["log witnesses", { asks: "anybody", examples: ["vouchsafe log witnesses"] }],
  ["log fsck", { examples: ["vouchsafe log fsck"], done: "it holds", refused: "it does not hold" }],
  [
    "log monitor",
    {
      asks: "anybody",
      examples: ['vouchsafe log monitor --log-key "$(cat log.key)"'],
      done: "it holds",
      refused: "it does not hold",
    },
  ],
  [
    "log follow",
    {
      asks: "GET /events",
      roles: ["auditor", "operator", "issuer"],
      examples: ["vouchsafe log follow --type quarantine.opened --type quarantine.lifted"],
    },
  ],
  ["log export", { asks: "anybody", examples: ["vouchsafe log export --output log.jsonl"] }],
  [
    "log verify-export",
    {
      examples: ['vouchsafe log verify-export log.jsonl --log-key "$(cat log.key)"'],
      done: "it holds",
      refused: "it does not hold",
    },
  ],
  [
    "witness",
    {
      examples: ['vouchsafe witness --name witness.example --dir ./witness --log "$(cat log.key)"'],
      noJson: "it serves until it is stopped, and prints the lines of a log",
    },
  ],
  [
    "project create",
    {
      asks: "POST /projects",
      roles: ["operator"],
      installation: true,
      examples: ["vouchsafe project create acme > acme.token"],
    },
  ],
  [
    "project ls",
    { asks: "GET /projects", roles: ["operator"], installation: true, examples: ["vouchsafe project ls"] },
  ],
  [
    "project operator-token",
    {
      asks: "POST /projects/:name/operator-token",
      roles: ["operator"],
      installation: true,
      examples: ["vouchsafe project operator-token acme > acme.token"],
    },
  ],
  [
    "project suspend",
    {
      asks: "POST /projects/:name/suspend",
      roles: ["operator"],
      installation: true,
      examples: ['vouchsafe project suspend acme --reason "token leaked"'],
    },
  ],
  [
    "project resume",
    {
      asks: "POST /projects/:name/resume",
      roles: ["operator"],
      installation: true,
      examples: ['vouchsafe project resume acme --reason "tokens replaced"'],
    },
  ],
  [
    "doctor",
    {
      examples: ["vouchsafe doctor", "vouchsafe doctor --remote --server https://vouchsafe.example.com"],
      done: "nothing is wrong, warnings or not",
      refused: "something is",
    },
  ],
  ["config check", { examples: ["vouchsafe config check --config vouchsafe.yaml"] }],
  ["config show", { examples: ["vouchsafe config show"] }],
  ["migrate", { examples: ["vouchsafe migrate"] }],
];
