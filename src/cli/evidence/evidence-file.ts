import { looksLikeManifest } from "../../oci/manifest.ts";
import { unpackEvidence } from "../../verify/formats/unpack.ts";

/** A piece of a file that one request carries. */
export type Piece =
  | { readonly case: "item"; readonly bytes: Uint8Array }
  /** An image index or image manifest, which is recorded as what it is. */
  | { readonly case: "manifest"; readonly bytes: Uint8Array }
  /** One document that holds several pieces of evidence, which the server unpacks. */
  | { readonly case: "container"; readonly bytes: Uint8Array }
  /** Complete lines, and for each that is not empty (the server counts no others) its number in the file, from 1. */
  | { readonly case: "lines"; readonly bytes: Uint8Array; readonly numbers: readonly number[] };

/** What one request may hold: the server takes 1,000 lines, and bodies that are larger than this. */
const MOST_LINES = 1000;
const MOST_BYTES = 8 * 1024 * 1024;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Cuts a file into requests: JSON Lines into runs of lines, anything else stays whole. A file is JSON
 * Lines when its first line is JSON by itself and more follow; whether each is evidence is the server's to judge.
 */
export function piecesOf(file: Uint8Array): Piece[] {
  if (looksLikeManifest(file)) return [{ case: "manifest", bytes: file }];
  if (isJsonLines(file)) return runsOfLines(file);
  return [{ case: isContainer(file) ? "container" : "item", bytes: file }];
}

/** A container that cannot be unpacked goes to the server as an item, which says and records what is wrong. */
function isContainer(file: Uint8Array): boolean {
  try {
    return unpackEvidence(file) !== undefined;
  } catch {
    return false;
  }
}

function isJsonLines(file: Uint8Array): boolean {
  const end = file.indexOf(NEWLINE);
  const isOneLine = end === -1 || !file.subarray(end).some((byte) => byte > 0x20);
  return !isOneLine && isJson(file.subarray(0, end));
}

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder().decode(bytes));
    return true;
  } catch {
    return false;
  }
}

function runsOfLines(file: Uint8Array): Piece[] {
  const pieces: Piece[] = [];
  let begin = 0;
  let numbers: number[] = [];
  let number = 0;
  for (let lineBegin = 0; lineBegin < file.length; ) {
    const newline = file.indexOf(NEWLINE, lineBegin);
    const lineEnd = newline === -1 ? file.length : newline + 1;
    number += 1;
    if (!isEmpty(file.subarray(lineBegin, lineEnd))) {
      if (numbers.length === MOST_LINES || (numbers.length > 0 && lineEnd - begin > MOST_BYTES)) {
        pieces.push({ case: "lines", bytes: file.subarray(begin, lineBegin), numbers });
        begin = lineBegin;
        numbers = [];
      }
      numbers.push(number);
    }
    lineBegin = lineEnd;
  }
  return [...pieces, { case: "lines", bytes: file.subarray(begin), numbers }];
}

function isEmpty(line: Uint8Array): boolean {
  return line.every((byte) => byte === NEWLINE || byte === CARRIAGE_RETURN);
}
