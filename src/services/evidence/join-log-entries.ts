import { searchRekor } from "../../client/rekor-search.ts";
import { isJsonObject, parseJson } from "../../in-toto-attestation/index.ts";
import { orUndefined } from "../../verify/format-errors.ts";
import { readDsseEnvelope } from "../../verify/formats/dsse-envelope.ts";
import { withLogEntries } from "../../verify/formats/rekor-entries.ts";
import type { Vouchsafe } from "../context.ts";

/**
 * The upload joined with the log entries that say when it was signed, where this node may ask a log for them
 * (`VOUCHSAFE_REKOR_URL`). Asked for a bare envelope alone whose certificate came without any evidence of time; any
 * other upload, and one that the log knows nothing about, is given back as it is.
 *
 * @throws VouchsafeError `unavailable` when the log cannot be asked: the upload is not to be refused for that
 */
export async function joinLogEntries(v: Vouchsafe, upload: Uint8Array): Promise<Uint8Array> {
  const { rekorUrl } = v.config;
  if (rekorUrl === undefined || orUndefined(() => lacksTime(upload)) !== true) return upload;
  const answers = await searchRekor(rekorUrl, upload);
  return orUndefined(() => withLogEntries(upload, answers)) ?? upload;
}

function lacksTime(upload: Uint8Array): boolean {
  const json = parseJson(upload);
  if (!isJsonObject(json) || json.payloadType === undefined) return false;
  const [only, ...others] = readDsseEnvelope(json).signatures;
  return only?.signer.case === "certificate" && only.timestamps.length === 0 && others.length === 0;
}
