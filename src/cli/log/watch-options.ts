import { AttestationFormatError, parseDigest } from "../../in-toto-attestation/index.ts";
import type { Watch } from "../../monitor/watch.ts";
import { compileGlob, type Glob, GlobError } from "../../policy/glob.ts";
import { UsageError } from "../usage-error.ts";

export interface WatchOptions {
  readonly watchDigest?: readonly string[];
  readonly watchSigner?: readonly string[];
  readonly watchIdentity?: readonly string[];
}

/** What a monitor is told to watch. Throws `UsageError`. */
export function readWatch({ watchDigest = [], watchSigner = [], watchIdentity = [] }: WatchOptions): Watch {
  return {
    digests: new Set(watchDigest.map(readChainKey)),
    signers: watchSigner.map((text) => readPattern("--watch-signer", text)),
    identities: watchIdentity.map((text) => readPattern("--watch-identity", text)),
  };
}

function readChainKey(text: string): string {
  try {
    return text === "*" ? text : parseDigest(text);
  } catch (cause) {
    if (!(cause instanceof AttestationFormatError)) throw cause;
    throw new UsageError(`--watch-digest takes algorithm:hex or *, and not ${text}`, { cause });
  }
}

function readPattern(option: string, text: string): Glob {
  try {
    return compileGlob(text);
  } catch (cause) {
    if (!(cause instanceof GlobError)) throw cause;
    throw new UsageError(`${option} ${text}: ${cause.message}`, { cause });
  }
}
