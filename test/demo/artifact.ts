const BLOCK = 512;

/** A release of one file: a tar archive (POSIX.1-1988 ustar), the same bytes each time. */
export function buildWidget(): Uint8Array {
  const content = Buffer.from('console.log("the widget works");\n');
  const padding = Buffer.alloc(BLOCK - (content.length % BLOCK));
  const end = Buffer.alloc(2 * BLOCK);
  return Buffer.concat([header("widget/main.js", content.length), content, padding, end]);
}

function header(name: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  block.write(name, 0);
  block.write(octal(0o644, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(size, 12), 124);
  block.write(octal(0, 12), 136);
  block.write(" ".repeat(8), 148);
  block.write("0", 156);
  block.write("ustar\0", 257);
  block.write("00", 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** The same bytes but for one bit of one in the middle. */
export function flipOneByte(bytes: Uint8Array): Uint8Array {
  const middle = Math.floor(bytes.length / 2);
  return bytes.map((byte, index) => (index === middle ? byte ^ 1 : byte));
}
