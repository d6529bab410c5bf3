import { hash } from "node:crypto";
import { VouchsafeError } from "../errors.ts";
import { type Checkpoint, parseCheckpoint } from "../tlog/checkpoint.ts";
import { type NoteSignature, parseNote } from "../tlog/note.ts";
import type { LogAuthority } from "../trust/sigstore-instance.ts";
import { publicKeyKindOf } from "../x509/public-keys.ts";
import { usualCheck } from "./schemes.ts";
import type { Claim } from "./signature-check.ts";

/** A log signs a checkpoint once, or once with each of few keys: bounds what a hostile note can cost. */
const MAX_OWN_SIGNATURES = 4;

/**
 * How a log's checkpoints are told: by its name and key as trust has them; or by its key alone, under whatever name it
 * goes. Rekor v1 calls itself by the name of the machine that it runs on unless it is told another
 * (`--rekor_server.hostname`), and its key's id is of the key alone.
 */
export type ToldBy = "name" | "key";

/**
 * What a Rekor log says of itself in a signed note (c2sp.org/tlog-checkpoint), if its signatures hold: some log of
 * these signed it, under its own name and key, and it is that log's. Lines of other names or keys are passed over,
 * so that witnesses can cosign; one of the log's that is false refuses the note (c2sp.org/signed-note).
 *
 * Throws `VouchsafeError` (`malformed-checkpoint`).
 */
export function readCheckpoint(
  note: string,
  logs: readonly LogAuthority[],
  toldBy: ToldBy = "name",
): Claim<Checkpoint & { readonly log: LogAuthority }> {
  const { text, signatures } = parseNote(note);
  const checkpoint = parseCheckpoint(text);
  const isOwn = ({ name, keyId }: NoteSignature, log: LogAuthority) =>
    keyId === keyHintOf(log) && (toldBy === "key" || name === log.origin || isNamedByKey(name, log));
  const log = logs.find((one) => signatures.some((line) => isOwn(line, one)));
  refuseUnless(log !== undefined, "no trusted log signed the checkpoint");
  const own = signatures.filter((line) => isOwn(line, log));
  const isOwnOrigin = own.every(({ name }) => isOriginOf(name, checkpoint.origin));
  refuseUnless(isOwnOrigin, "the checkpoint is of another log");
  refuseUnless(own.length <= MAX_OWN_SIGNATURES, "the log's signature is there too often");
  const bytes = Buffer.from(text);
  const checks = own.map(({ signature }) => {
    const check = usualCheck(log, bytes, signature);
    refuseUnless(check !== undefined, "the log's key is of a kind that is not taken");
    return check;
  });
  return { checks, found: { ...checkpoint, log } };
}

/**
 * How a checkpoint names the log's key: the first bytes of its checkpoint key id or, without one, of its log id
 * (sigstore_trustroot.proto, TransparencyLogInstance). For Rekor v1 that is the hash of the key, for v2 the hash of
 * name and key.
 */
function keyHintOf({ checkpointKeyId, logId }: LogAuthority): number {
  const hex = checkpointKeyId === undefined ? logId : Buffer.from(checkpointKeyId).toString("hex");
  return Number.parseInt(hex.slice(0, 8), 16);
}

/**
 * Whether this is the name that the log's key id was made of, as an Ed25519 key's is (c2sp.org/signed-note). Trust then
 * says the name by the id, and its address may have a port or be that of a mirror.
 */
function isNamedByKey(name: string, log: LogAuthority): boolean {
  if (publicKeyKindOf(log.spki) !== "ed25519") return false;
  const id = hash(
    "sha256",
    Buffer.concat([Buffer.from(`${name}\n\u0001`), log.spki.subarray(-32)]),
    "buffer",
  );
  return id.readUInt32BE() === keyHintOf(log);
}

/** Rekor v1 is a log of several trees, one after the other, and adds the number of the tree to its name. */
function isOriginOf(name: string, claimed: string): boolean {
  return claimed.startsWith(name) && TREE_ID.test(claimed.slice(name.length));
}

const TREE_ID = /^(?: - [0-9]{1,20})?$/;

function refuseUnless(condition: boolean, message: string): asserts condition {
  if (!condition) throw new VouchsafeError("malformed-checkpoint", message);
}
