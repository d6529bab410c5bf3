import { isJsonObject, type JsonObject, parseJson } from "../in-toto-attestation/index.ts";
import { invalid } from "./members.ts";

/**
 * The JSON of a `trusted_root.json`, strictly read; what is in it is judged with the trust document.
 *
 * Throws `VouchsafeError` (`invalid-trust`).
 *
 * @param where what the bytes came from, for the error
 */
export function parseTrustedRoot(bytes: Uint8Array, where: string): JsonObject {
  const value = readStrict(bytes, where);
  if (!isJsonObject(value)) throw invalid(`${where} is not a JSON object`);
  return value;
}

function readStrict(bytes: Uint8Array, where: string) {
  try {
    return parseJson(bytes);
  } catch (cause) {
    throw invalid(`${where} is not strict JSON`, cause);
  }
}
