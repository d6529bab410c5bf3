import { VouchsafeError } from "../../errors.ts";
import { withOurErrors } from "../../verify/format-errors.ts";
import { splitJsonLines, unpackEvidence } from "../../verify/formats/unpack.ts";
import { piecesOf } from "./evidence-file.ts";

/** A piece of evidence as a file has it. */
export interface EvidenceDocument {
  readonly bytes: Uint8Array;
  /** Its place in a file of several, from 1. */
  readonly item?: number;
  /** Why the pieces in it could not be had. */
  readonly refusal?: VouchsafeError;
}

/** The pieces of evidence in a file: one, its lines, or what is in a container. */
export function documentsOf(file: Uint8Array): EvidenceDocument[] {
  const lines = piecesOf(file).flatMap((piece) =>
    piece.case === "lines" ? splitJsonLines(piece.bytes) : [piece.bytes],
  );
  const documents = lines.flatMap(unpacked);
  return documents.length === 1 ? documents : documents.map((one, i) => ({ ...one, item: i + 1 }));
}

function unpacked(bytes: Uint8Array): EvidenceDocument[] {
  try {
    const pieces = withOurErrors(() => unpackEvidence(bytes)) ?? [bytes];
    return pieces.map((piece) => ({ bytes: piece }));
  } catch (refusal) {
    if (!(refusal instanceof VouchsafeError)) throw refusal;
    return [{ bytes, refusal }];
  }
}
