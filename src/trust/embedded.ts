import seeds from "@sigstore/tuf/seeds.json" with { type: "json" };
import type { JsonObject } from "../in-toto-attestation/index.ts";
import type { InstanceDocument } from "./snapshot.ts";
import { parseTrustedRoot } from "./trusted-root-file.ts";
import { TRUSTED_ROOT } from "./tuf-source.ts";

const PUBLIC_GOOD = "public-good";
export const PUBLIC_GOOD_REPOSITORY = "https://tuf-repo-cdn.sigstore.dev";

/** The public-good instance as it ships with @sigstore/tuf: needs no network and no cache, and can be refreshed. */
export function embeddedPublicGood(): InstanceDocument {
  const { "root.json": root, targets } = seeds[PUBLIC_GOOD_REPOSITORY];
  return {
    name: PUBLIC_GOOD,
    trustedRoot: decoded(targets[TRUSTED_ROOT]),
    tuf: { repository: PUBLIC_GOOD_REPOSITORY, root: decoded(root) },
  };
}

function decoded(base64: string): JsonObject {
  return parseTrustedRoot(Buffer.from(base64, "base64"), "@sigstore/tuf/seeds.json");
}
