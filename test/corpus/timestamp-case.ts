import { readTimestamp } from "../../src/verify/rfc3161.ts";
import { checkNow, holding } from "../../src/verify/signature-check.ts";
import { SignedBytes } from "../../src/verify/signed.ts";
import { trustOf } from "./case-trust.ts";
import type { Case, Corpus } from "./manifest.ts";

/** A TimeStampResp over the bytes of the case's artifact. */
export function checkTimestamp(test: Case, corpus: Corpus): string | undefined {
  const { bundle, artifact = bundle } = test.files;
  const authorities = trustOf(test, corpus).instances.flatMap((instance) => instance.timestampAuthorities);
  const claims = readTimestamp(corpus.read(bundle), new SignedBytes(corpus.read(artifact)), authorities);
  const [held] = checkNow(holding([claims]));
  return held.length > 0 ? undefined : "the authority's signature does not hold";
}
