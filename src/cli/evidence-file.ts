/** A piece of a file that one request carries. */
export type Piece =
  | { readonly case: "item"; readonly bytes: Uint8Array }
  /** Complete lines; `firstLine` is the number of the first of them in the file, from 1. */
  | { readonly case: "lines"; readonly bytes: Uint8Array; readonly firstLine: number };

/** What one request may hold: the server takes 1,000 lines, and bodies that are larger than this. */
const MOST_LINES = 1000;
const MOST_BYTES = 8 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * Cuts a file of evidence into requests: JSON Lines into runs of lines, anything else stays whole. A file is JSON
 * Lines when its first line is JSON by itself and more follow; whether each is evidence is the server's to judge.
 */
export function piecesOf(file: Uint8Array): Piece[] {
  return isJsonLines(file) ? runsOfLines(file) : [{ case: "item", bytes: file }];
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
  let firstLine = 1;
  let lines = 0;
  let end = 0;
  const cut = () => {
    if (end > begin) pieces.push({ case: "lines", bytes: file.subarray(begin, end), firstLine });
    begin = end;
    firstLine += lines;
    lines = 0;
  };
  while (end < file.length) {
    const newline = file.indexOf(NEWLINE, end);
    const next = newline === -1 ? file.length : newline + 1;
    if (lines === MOST_LINES || next - begin > MOST_BYTES) cut();
    end = next;
    lines += 1;
  }
  cut();
  return pieces;
}
