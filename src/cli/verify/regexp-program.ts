import { RegexpError, type RegexpNode } from "./regexp-syntax.ts";

/** `one` takes a character and goes on; `go` goes on at these places, relative to itself; `edge` goes on there alone. */
export type Instruction =
  | { readonly op: "one"; matches(unit: string): boolean }
  | { readonly op: "go"; readonly to: readonly number[] }
  | { readonly op: "edge"; readonly at: "start" | "end" }
  | { readonly op: "done" };

export type Program = Instruction[];

export const MAX_PROGRAM = 2000;

/** Appends what matches the node. Throws `RegexpError` where that gets too large, before it is. */
export function emit(node: RegexpNode, program: Program): void {
  if (program.length > MAX_PROGRAM) throw new RegexpError("its repetitions make it too large");
  switch (node.case) {
    case "one":
      program.push({ op: "one", matches: node.matches });
      return;
    case "edge":
      program.push({ op: "edge", at: node.at });
      return;
    case "all":
      for (const part of node.parts) emit(part, program);
      return;
    case "any":
      emitChoice(node.options, program);
      return;
    case "times":
      emitTimes(node, program);
  }
}

/** The first option and a jump behind the others, or the others. */
function emitChoice([first, ...others]: readonly RegexpNode[], program: Program): void {
  const [block, rest]: [Program, Program] = [[], []];
  if (first !== undefined) emit(first, block);
  if (others.length > 0) emitChoice(others, rest);
  program.push({ op: "go", to: others.length > 0 ? [1, block.length + 2] : [1] }, ...block);
  program.push({ op: "go", to: [rest.length + 1] }, ...rest);
}

function emitTimes({ node, least, most }: Extract<RegexpNode, { case: "times" }>, program: Program): void {
  const block: Program = [];
  emit(node, block);
  for (let i = 0; i < least; i += 1) append(program, block);
  if (most === undefined) {
    // Into it or past it; from its end back to this choice.
    program.push({ op: "go", to: [1, block.length + 2] }, ...block, { op: "go", to: [-block.length - 1] });
    return;
  }
  for (let i = least; i < most; i += 1) {
    program.push({ op: "go", to: [1, block.length + 1] });
    append(program, block);
  }
}

function append(program: Program, block: Program): void {
  if (program.length + block.length > MAX_PROGRAM) throw new RegexpError("its repetitions make it too large");
  program.push(...block);
}
