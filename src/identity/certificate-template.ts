/** The values in which certificates of one shape differ. */
export type Varying = readonly Uint8Array[];

/** Writes certificates' signed parts; each shape, by the lengths of its values, is laid out once. */
export interface Templates {
  write(values: Varying): Buffer;
}

interface Template {
  readonly bytes: Buffer;
  /** Where each value stands. */
  readonly offsets: readonly number[];
}

/** Far more than there are: keys of a few kinds, names and grounds of a few lengths. */
const MAX_SHAPES = 256;

/**
 * Remembers how certificates of a shape are laid out, because writing one anew takes as long as half a signature.
 *
 * @param write writes the whole from its values: certificates whose values have the same lengths must differ in
 *   nothing else
 */
export function createTemplates(write: (values: Varying) => Buffer): Templates {
  const shapes = new Map<string, Template>();
  return {
    write(values) {
      const shape = values.map(({ length }) => length).join(" ");
      let template = shapes.get(shape);
      if (template === undefined) {
        template = layOut(write, values);
        if (shapes.size >= MAX_SHAPES) shapes.clear();
        shapes.set(shape, template);
      }
      return fill(template, values);
    },
  };
}

/**
 * Finds where each value stands: where the whole changes when only that value does. Makes sure of it: filled with
 * other values, the template must be what `write` makes of those, byte for byte.
 */
function layOut(write: (values: Varying) => Buffer, values: Varying): Template {
  const bytes = write(values);
  const others = values.map((value) => value.map((byte) => byte ^ 1));
  const offsets = others.map((other, i) => {
    const changed = write(values.with(i, other));
    return bytes.findIndex((byte, at) => byte !== changed[at]);
  });
  const template = { bytes, offsets };
  const isSound = offsets.every((at) => at !== -1) && fill(template, others).equals(write(others));
  if (!isSound) throw new RangeError("certificates of this shape differ in more than these values");
  return template;
}

function fill({ bytes, offsets }: Template, values: Varying): Buffer {
  const filled = Buffer.from(bytes);
  for (const [i, value] of values.entries()) filled.set(value, offsets[i]);
  return filled;
}
