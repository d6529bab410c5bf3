import { createHash } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import { isJsonObject, type JsonValue, parseEnvelope, parseJson } from "../in-toto-attestation/index.ts";
import { readBounded } from "../read-bounded.ts";

/** Entries that are fetched for one envelope, and what an answer may weigh: some keep the payload beside the entry. */
const MOST_ENTRIES = 8;
const MOST_BYTES = 8 * 1024 * 1024;
const TIMEOUT = 10_000;

const UUID = /^(?:[0-9a-f]{64}|[0-9a-f]{80})$/;

/**
 * What a Rekor log (v1 API, openapi.yaml of sigstore/rekor) answers about an envelope's payload: objects of uuid →
 * LogEntry, to be joined to the envelope. Nothing of it is believed for having been answered.
 *
 * @throws VouchsafeError `unavailable` when the log cannot be asked, or answers with something else
 * @throws AttestationFormatError for bytes that are no envelope
 */
export async function searchRekor(url: string, envelope: Uint8Array): Promise<readonly JsonValue[]> {
  const { payload } = parseEnvelope(parseJson(envelope));
  const hash = `sha256:${createHash("sha256").update(payload).digest("hex")}`;
  const uuids = stringsIn(await post(url, "/api/v1/index/retrieve", { hash }), url);
  const newest = uuids.slice(-MOST_ENTRIES);
  if (newest.length === 0) return [];
  const answers = await post(url, "/api/v1/log/entries/retrieve", { entryUUIDs: newest });
  if (!Array.isArray(answers) || !answers.every(isJsonObject)) throw unexpected(url);
  return answers;
}

function stringsIn(answer: JsonValue, url: string): string[] {
  if (!Array.isArray(answer)) throw unexpected(url);
  return answer.map((uuid: JsonValue) => {
    if (typeof uuid !== "string" || !UUID.test(uuid)) throw unexpected(url);
    return uuid;
  });
}

async function post(base: string, path: string, body: object): Promise<JsonValue> {
  try {
    const response = await fetch(new URL(path, base), {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT),
    });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return parseJson(await bodyOf(response));
  } catch (cause) {
    throw new VouchsafeError("unavailable", `${base} cannot be searched: ${reasonOf(cause)}`, { cause });
  }
}

async function bodyOf({ body }: Response): Promise<Uint8Array> {
  const bytes = await readBounded(body, MOST_BYTES);
  if (bytes === undefined) throw new Error(`its answer is larger than ${MOST_BYTES} bytes`);
  return bytes;
}

function unexpected(url: string): VouchsafeError {
  return new VouchsafeError("unavailable", `${url} does not answer as a Rekor log does`);
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
