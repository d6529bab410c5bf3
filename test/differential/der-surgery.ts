import { type DerElement, derChildren, readDer } from "../../src/der/reader.ts";
import { der } from "../../src/der/writer.ts";

/** What is done to an element of a DER document; the lengths around it are made right again. */
export type Surgery = "drop" | "double" | "swap" | "empty";

/** Operates on the element that `at` picks, counted through the tree. Bytes that are no DER come back as they are. */
export function operate(bytes: Uint8Array, surgery: Surgery, at: number): Uint8Array {
  const root = attempt(() => readDer(bytes));
  if (root === undefined) return bytes;
  const { size } = count(root);
  return size < 2 ? bytes : Buffer.concat(rebuild(root, surgery, 1 + (at % (size - 1)), { next: 0 }));
}

function rebuild(element: DerElement, surgery: Surgery, at: number, counter: { next: number }): Uint8Array[] {
  const index = counter.next;
  counter.next += 1;
  const parts = childrenOf(element).map((child) => rebuild(child, surgery, at, counter));
  const isLeaf = parts.length === 0;
  if (index === at && surgery === "drop") return [];
  const content = surgery === "swap" && index === at ? parts.reverse() : parts;
  const written =
    surgery === "empty" && index === at
      ? der(element.tag)
      : der(element.tag, ...(isLeaf ? [element.content] : content.flat()));
  return surgery === "double" && index === at ? [written, written] : [written];
}

function count(element: DerElement): { size: number } {
  return { size: childrenOf(element).reduce((sum, child) => sum + count(child).size, 1) };
}

/** Members of a constructed element, and what an OCTET STRING wraps. */
function childrenOf({ tag, content }: DerElement): readonly DerElement[] {
  if ((tag & 0x20) !== 0) return attempt(() => derChildren(content)) ?? [];
  return tag === 0x04 ? (attempt(() => [readDer(content)]) ?? []) : [];
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
