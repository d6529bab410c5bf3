/** The values in which certificates of one shape differ, in the order in which they stand in a certificate. */
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
 * Finds where each value stands, and makes sure of it: filled with other values, the template must be what `write`
 * makes of those, byte for byte.
 */
function layOut(write: (values: Varying) => Buffer, values: Varying): Template {
  const bytes = write(values);
  let end = 0;
  const offsets = values.map((value) => {
    const at = bytes.indexOf(value, end);
    if (at === -1) throw new RangeError("a value does not stand where its order says");
    end = at + value.length;
    return at;
  });
  const template = { bytes, offsets };
  const others = values.map((value) => value.map((byte, i) => (i === value.length - 1 ? byte ^ 1 : byte)));
  if (!fill(template, others).equals(write(others))) throw new RangeError("the shape has more that varies");
  return template;
}

function fill({ bytes, offsets }: Template, values: Varying): Buffer {
  const filled = Buffer.from(bytes);
  for (const [i, value] of values.entries()) filled.set(value, offsets[i]);
  return filled;
}
