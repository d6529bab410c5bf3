import { createPrivateKey, type KeyObject } from "node:crypto";
import { parseTrustDomain } from "../../src/identity/spiffe-id.ts";
import { parseJwks, parseTrustBundle, parseX509Authorities } from "../../src/identity/trust-bundle.ts";
import { parseX509Svid } from "../../src/identity/x509-validation.ts";
import { pemBlocks } from "../../src/x509/pem.ts";
import { isKeyOf } from "../../src/x509/public-keys.ts";
import type { Case, Corpus } from "./manifest.ts";

const TRUST_DOMAIN = parseTrustDomain("example.org");

/** Format → reads its document: why it is rejected, undefined when it is not. Throws what our parsers throw. */
export const SPIFFE_FORMATS: ReadonlyMap<string, (test: Case, corpus: Corpus) => string | undefined> =
  new Map([
    ["spiffe-x509-svid", checkSvid],
    ["spiffe-x509-bundle", accept((file) => parseX509Authorities(file.toString()))],
    ["spiffe-bundle", accept((file) => parseTrustBundle(file, TRUST_DOMAIN))],
    ["spiffe-jwks", accept(parseJwks)],
  ]);

/** An SVID as a workload loads it from files: a chain of the right shape, and the leaf's private key. */
function checkSvid({ files, policy }: Case, corpus: Corpus): string | undefined {
  const certificates = blocks(corpus.read(files.bundle), "CERTIFICATE");
  const [keyBytes] = blocks(corpus.read(files.privateKey ?? files.bundle), "PRIVATE KEY");
  const { spiffeId, leaf } = parseX509Svid(certificates);
  const key = keyBytes === undefined ? undefined : privateKey(keyBytes);
  if (key === undefined) return "there is no private key that can be read";
  if (!isKeyOf(key, leaf.spki)) return "the private key is not the leaf's";
  const expected = policy?.spiffeId;
  return expected === undefined || expected === spiffeId ? undefined : `the SPIFFE ID is ${spiffeId}`;
}

function blocks(file: Buffer, label: string): Uint8Array[] {
  return (pemBlocks(file.toString()) ?? [])
    .filter((block) => block.label === label)
    .map(({ bytes }) => bytes);
}

function privateKey(pkcs8: Uint8Array): KeyObject | undefined {
  try {
    return createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  } catch {
    return undefined;
  }
}

function accept(parse: (file: Buffer) => unknown) {
  return ({ files }: Case, corpus: Corpus) => {
    parse(corpus.read(files.bundle));
    return undefined;
  };
}
