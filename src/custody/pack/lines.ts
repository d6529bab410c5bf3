const NEWLINE = 0x0a;

/** Cuts bytes that come in pieces into lines. */
export interface LineCutter {
  /** The lines that end in this piece, without their newlines. Throws `RangeError` once a line is longer than allowed. */
  push(piece: Uint8Array): Uint8Array[];
  /** Whether what came ended in a newline. */
  isAtEnd(): boolean;
}

/** A line is held in memory until its end is there: `maxBytes` bounds what that can take. */
export function createLineCutter(maxBytes: number): LineCutter {
  let begun: Uint8Array[] = [];
  let length = 0;

  function add(part: Uint8Array): void {
    length += part.length;
    if (length > maxBytes) throw new RangeError(`a line is longer than ${maxBytes} bytes`);
    if (part.length > 0) begun.push(part);
  }

  return {
    push(piece) {
      const lines: Uint8Array[] = [];
      let begin = 0;
      for (let end = piece.indexOf(NEWLINE); end !== -1; end = piece.indexOf(NEWLINE, begin)) {
        add(piece.subarray(begin, end));
        lines.push(begun.length === 1 ? (begun[0] as Uint8Array) : Buffer.concat(begun));
        begun = [];
        length = 0;
        begin = end + 1;
      }
      add(piece.subarray(begin));
      return lines;
    },
    isAtEnd: () => length === 0,
  };
}
