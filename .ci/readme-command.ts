/**
 * `node .ci/readme-command.ts "npm test"`: prints the one fenced command block of README.md that ends with the
 * given command, so that CI runs what newcomers are told to run. Exits 1 unless there is exactly one.
 */
import { readFileSync } from "node:fs";

const FENCE = /^```(?:sh|shell|bash)\n([\s\S]*?)\n```$/gm;

/** The bodies of the README's shell blocks that end with the command. */
export function commandBlocks(markdown: string, ending: string): string[] {
  return [...markdown.matchAll(FENCE)]
    .map((match) => (match[1] ?? "").trim())
    .filter((body) => body.endsWith(ending));
}

if (import.meta.main) {
  const ending = process.argv[2] ?? "";
  const [block, ...others] = commandBlocks(readFileSync("README.md", "utf8"), ending);
  if (block === undefined || others.length > 0) {
    console.error(`README.md needs exactly one shell block that ends with \`${ending}\``);
    process.exit(1);
  }
  console.log(block);
}
