/** The themes of the API, in the order in which a newcomer reads of them, and the first segments of their paths. */
const TAGS: readonly {
  readonly name: string;
  readonly description: string;
  readonly of: readonly string[];
}[] = [
  {
    name: "Evidence",
    description: "Push what was signed about artifacts, have it fetched, and read it back byte for byte.",
    of: ["attestations", "manifests", "artifacts"],
  },
  {
    name: "Decisions",
    description:
      "May this digest be trusted now? The answer, signed on request, and what others granted on it.",
    of: ["verify-digest", "vsa", "decisions", "admission"],
  },
  {
    name: "Identities",
    description:
      "SPIFFE identities for workloads whose running digest is allowed, and what they are validated with.",
    of: [
      "svid",
      "identities",
      "registrations",
      "agents",
      "authorities",
      "trust-bundle",
      "jwks.json",
      ".well-known",
      "federation",
      "crl",
    ],
  },
  {
    name: "Custody",
    description: "An artifact's chain of custody, the project's events, and the file that verifies offline.",
    of: ["custody", "events", "documents", "inventory", "reports"],
  },
  {
    name: "Log",
    description: "The public side of the custody log: C2SP tlog-tiles, checkpoints, proofs and witnesses.",
    of: ["log"],
  },
  {
    name: "Policies and trust",
    description: "What is asked of artifacts and workloads, and which roots and keys are believed.",
    of: ["policies", "trust"],
  },
  {
    name: "Standing",
    description: "Quarantines, revocations, exceptions and how long evidence is kept.",
    of: ["quarantines", "revocations", "exceptions", "holds", "retention"],
  },
  {
    name: "Access",
    description: "Projects and the credentials of their callers.",
    of: ["projects", "tokens", "whoami"],
  },
  {
    name: "Server",
    description: "Is it alive and ready; this description.",
    of: ["healthz", "readyz", "openapi.json", "docs"],
  },
];

export const TAG_DESCRIPTIONS = TAGS.map(({ name, description }) => ({ name, description }));

/** The theme of a path, by its first segment. */
export function tagOf(path: string): string {
  return TAGS.find(({ of }) => of.includes(segmentOf(path)))?.name ?? "Server";
}

const SEGMENTS = TAGS.flatMap(({ of }) => of);

/** Where a path stands among the others. */
export function placeOf(path: string): number {
  return SEGMENTS.indexOf(segmentOf(path));
}

function segmentOf(path: string): string {
  return path.split("/")[1] ?? "";
}
