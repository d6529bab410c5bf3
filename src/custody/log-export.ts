import { type JsonObject, parseJson } from "../in-toto-attestation/index.ts";
import { encodeBase64 } from "../tlog/base64.ts";
import type { Frontier } from "../tlog/frontier.ts";
import type { Proof } from "../tlog/proofs.ts";
import { encodeBody } from "./body.ts";
import type { LogEvent } from "./events.ts";
import { writeLine } from "./pack.ts";

/**
 * A range of the log for an archive (docs/log-format.md): JSON Lines, each line canonical. First the header, then a
 * line for each entry: its leaf, and for the project's own the event, after the bytes that came into the log with it.
 * The same range under the same checkpoint gives the same bytes.
 */
export const EXPORT_FORMAT = "vouchsafe-log/v1";

export interface ExportHeader {
  /** What the tree consists of before the first entry: the range begins at its size. */
  readonly before: Frontier;
  /** Where the range ends: the first index that is not in it. */
  readonly to: number;
  /** The project whose events are in the file; null where there are leaves alone. */
  readonly project: string | null;
  /** A signed checkpoint of a tree with all of the range in it. */
  readonly checkpoint: string;
  /** Of consistency, from the tree of `to` to that of the checkpoint. */
  readonly proof: Proof;
}

export function writeExportHeader({ before, to, project, checkpoint, proof }: ExportHeader): Uint8Array {
  return writeLine({
    format: EXPORT_FORMAT,
    from: before.size,
    to,
    project,
    checkpoint,
    peaks: before.peaks.map(encodeBase64),
    proof: proof.map(encodeBase64),
  });
}

/** The line of an entry that is not the project's. */
export function writeEntry(index: number, leaf: Uint8Array): Uint8Array {
  return writeLine({ entry: index, leaf: encodeBase64(leaf) });
}

/** The line of one of the project's entries. */
export function writeOwnEntry(event: LogEvent): Uint8Array {
  const { index, leaf, salt } = event;
  const body = parseJson(encodeBody(event)) as JsonObject;
  return writeLine({ event: index, leaf: encodeBase64(leaf), salt: encodeBase64(salt), body });
}
