import { VouchsafeError } from "../errors.ts";
import { signCheckpoint } from "../tlog/checkpoint.ts";
import {
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
  parseNote,
  parseVerifierKey,
} from "../tlog/note.ts";
import { keyLabel } from "../tlog/verifier-key.ts";
import type { LogHead } from "./log-store.ts";

/** The keys that a node signs the log with: those that are active after the log's newest entry, and no others. */
export interface LogSigners {
  /** The log's name, and that of each of its keys. */
  readonly origin: string;
  /** In the order in which the log took them on: each node's checkpoint of a tree has the same bytes. */
  readonly signers: readonly NoteSigner[];
  readonly verifiers: readonly NoteVerifier[];
  /** The newest key, `name+hash+base64`. */
  readonly verifierKey: string;
  /** Set where the next entry changes the keys: the head may then still be signed with these. */
  readonly succeeds?: readonly NoteVerifier[];
}

/** @param signers at least one, oldest first */
export function logSigners(
  origin: string,
  signers: readonly NoteSigner[],
  succeeds?: readonly NoteVerifier[],
): LogSigners {
  const newest = signers.at(-1);
  if (newest === undefined || signers.some(({ name }) => name !== origin))
    throw new RangeError("a log signs under its origin");
  const verifiers = signers.map(({ verifierKey }) => parseVerifierKey(verifierKey));
  const { verifierKey } = newest;
  return { origin, signers, verifiers, verifierKey, ...(succeeds && { succeeds }) };
}

/** The checkpoint of this tree, signed with each of the keys. */
export function signTree(
  tree: { readonly size: number; readonly root: Uint8Array },
  { origin, signers }: LogSigners,
): string {
  return signCheckpoint({ ...tree, origin }, signers);
}

/**
 * The checkpoint of a tree that was proved to be one that the log of this head has grown from: signed with the keys
 * that are active now, whichever were then, for a retired key signs nothing any more.
 *
 * @throws VouchsafeError as `requireSignedBy`
 */
export function signOlderTree(
  head: LogHead,
  tree: { readonly size: number; readonly root: Uint8Array },
  signers: LogSigners,
): string {
  requireSignedBy(head, signers);
  return tree.size === head.size ? head.checkpoint : signTree(tree, signers);
}

/**
 * Refuses to build on a head that is not signed with exactly our keys: the log has taken on another since, or retired
 * one, and what we signed would then lack the signature that its readers look for, or bear one that no longer counts.
 * Only the lines' keys are looked at, and not what they sign.
 *
 * @returns the keys that it is signed with
 * @throws VouchsafeError `log-key-mismatch`; `log-inconsistent` for a head that nobody signed under the log's name
 */
export function requireSignedBy(
  head: LogHead,
  { origin, verifiers, succeeds }: LogSigners,
): readonly NoteVerifier[] {
  // Nobody has signed the empty log.
  if (head.size === 0) return verifiers;
  const found = keysOn(head.checkpoint, origin);
  const fits = (keys: readonly NoteVerifier[]) => String(keys.map(keyLabel).sort()) === String(found);
  if (fits(verifiers)) return verifiers;
  if (succeeds !== undefined && fits(succeeds)) return succeeds;
  throw new VouchsafeError(
    "log-key-mismatch",
    `The log is signed with ${found.join(" and ")}, and this node signs with ${verifiers.map(keyLabel).join(" and ")}: ` +
      "its keys have changed. Restart this node with VOUCHSAFE_LOG_KEY_FILE naming the files of exactly those keys",
  );
}

/** The keys under the log's name that a checkpoint has lines of, sorted. Throws `log-inconsistent` where it has none. */
function keysOn(checkpoint: string, origin: string): string[] {
  const keys = signaturesOf(checkpoint)
    .filter(({ name }) => name === origin)
    .map(keyLabel);
  if (keys.length > 0) return keys.sort();
  throw new VouchsafeError("log-inconsistent", `The log's head is not signed under the name ${origin}`);
}

function signaturesOf(checkpoint: string): readonly NoteSignature[] {
  try {
    return parseNote(checkpoint).signatures;
  } catch (cause) {
    throw new VouchsafeError("log-inconsistent", "The log's head has no checkpoint that can be read", {
      cause,
    });
  }
}
