import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join, parse, resolve, sep } from "node:path";
import { UsageError } from "../cli/usage-error.ts";

/**
 * Files by patterns, with the rules of @actions/glob, so that what was attested by a pattern is asked about by the same:
 * `*`, `?` and `[…]` within a name, `**` over directories; names that begin with `.` match too; a directory stands for all
 * in it; links are followed; `!` takes out what came before, `#` begins a comment, `~` is the home directory; braces are
 * plain characters. The last pattern that matches a file decides.
 */
export async function filesMatching(patterns: readonly string[], cwd: string): Promise<string[]> {
  const compiled = patterns.flatMap((pattern) => compile(pattern, cwd));
  const found = new Set<string>();
  const budget = { left: MOST_ENTRIES };
  for (const { isExclusion, root, segments } of compiled) {
    if (!isExclusion) await expand(root, segments, { found, budget, within: [] });
  }
  return [...found].filter((path) => isWanted(path, compiled));
}

interface Pattern {
  readonly isExclusion: boolean;
  /** `/`, or a drive of Windows. */
  readonly root: string;
  readonly segments: readonly Segment[];
}

type Segment = { readonly name: string } | { readonly matches: RegExp } | "**";

interface Walk {
  readonly found: Set<string>;
  readonly budget: { left: number };
  /** Real paths of the directories that it is in, so that links lead nowhere twice. */
  readonly within: readonly string[];
}

/** Files and directories looked at, over all patterns. */
const MOST_ENTRIES = 1_000_000;

function compile(text: string, cwd: string): Pattern[] {
  const [, marks = "", rest = ""] = /^(!*)\s*(.*)$/s.exec(text.trim()) ?? [];
  if (rest === "" || text.trim().startsWith("#")) return [];
  const plain = sep === "\\" ? rest.replaceAll("\\", "/") : rest;
  const [begin = "", ...others] = plain.split("/");
  const isRooted = begin === "" || /^[A-Za-z]:$/.test(begin);
  const base = resolve(isRooted ? `${begin}/` : begin === "~" ? homedir() : cwd);
  const steps = isRooted || begin === "~" || begin === "." ? others : [begin, ...others];
  if (steps.some((step) => step === "." || step === "..")) {
    throw new UsageError(`${text}: patterns may not hold . or .. between their slashes`);
  }
  const { root } = parse(base);
  const above = stepsIn(base, root).map((name): Segment => ({ name }));
  const below = steps.filter((step) => step !== "").map(segmentOf);
  return [{ isExclusion: marks.length % 2 === 1, root, segments: [...above, ...below] }];
}

function stepsIn(path: string, root: string): string[] {
  return path
    .slice(root.length)
    .split(sep)
    .filter((step) => step !== "");
}

function segmentOf(text: string): Segment {
  if (text === "**") return "**";
  const escaped = (character: string) => character.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
  let pattern = "";
  let name = "";
  let isPlain = true;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    const [set, negated = "", members = ""] = /^\[([!^]?)(\]?[^\]]*)\]/.exec(text.slice(at)) ?? [];
    if (character === "\\" && at + 1 < text.length) {
      at += 1;
      pattern += escaped(text.charAt(at));
      name += text.charAt(at);
    } else if (set !== undefined && members !== "") {
      at += set.length - 1;
      const range = members.replace(/[\\^\][]/g, "\\$&");
      pattern += `[${negated === "" ? "" : "^"}${range}]`;
      isPlain = false;
    } else if (character === "*" || character === "?") {
      // Runs of stars within a name are one: nothing is to be tried over and over.
      while (character === "*" && text.charAt(at + 1) === "*") at += 1;
      pattern += character === "*" ? "[^/]*" : "[^/]";
      isPlain = false;
    } else {
      pattern += escaped(character);
      name += character;
    }
  }
  if (isPlain) return { name };
  try {
    return { matches: new RegExp(`^${pattern}$`, "s") };
  } catch (cause) {
    throw new UsageError(`${text}: a range in brackets runs backwards`, { cause });
  }
}

/** Adds the files below `path` that the rest of a pattern leads to. */
async function expand(path: string, [first, ...rest]: readonly Segment[], walk: Walk): Promise<void> {
  if (first === undefined) return addAll(path, walk);
  if (typeof first === "object" && "name" in first) return expand(join(path, first.name), rest, walk);
  const inside = await enter(path, walk);
  if (inside === undefined) return;
  if (first === "**") {
    if (rest.length === 0) return addAll(path, walk);
    await expand(path, rest, walk);
    for (const { name } of inside.entries) await expand(join(path, name), ["**", ...rest], inside.walk);
    return;
  }
  for (const { name } of inside.entries) {
    if (first.matches.test(name)) await expand(join(path, name), rest, inside.walk);
  }
}

async function addAll(path: string, walk: Walk): Promise<void> {
  const kind = await stat(path).catch(() => undefined);
  if (kind?.isFile()) walk.found.add(path);
  if (!kind?.isDirectory()) return;
  const inside = await enter(path, walk);
  for (const { name } of inside?.entries ?? []) await addAll(join(path, name), inside?.walk ?? walk);
}

/** Undefined for what is no directory, or was entered already on the way to it. */
async function enter(path: string, walk: Walk): Promise<{ entries: Dirent[]; walk: Walk } | undefined> {
  try {
    const real = await realpath(path);
    if (walk.within.includes(real)) return undefined;
    const entries = await readdir(path, { withFileTypes: true });
    walk.budget.left -= entries.length;
    if (walk.budget.left < 0) throw new UsageError("The patterns lead through too many files: name fewer");
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    return { entries, walk: { ...walk, within: [...walk.within, real] } };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    if (isNotThere(cause)) return undefined;
    // What is passed over here would not be asked about.
    throw new UsageError(`${path} cannot be read`, { cause });
  }
}

function isNotThere(cause: unknown): boolean {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP";
}

function isWanted(path: string, patterns: readonly Pattern[]): boolean {
  const last = patterns.findLast(
    ({ root, segments }) => path.startsWith(root) && matches(segments, stepsIn(path, root)),
  );
  return last?.isExclusion === false;
}

/** Whether a pattern matches a path, or a directory that it is in. */
function matches([first, ...rest]: readonly Segment[], steps: readonly string[]): boolean {
  if (first === undefined) return true;
  if (first === "**") {
    return steps.some((_, at) => matches(rest, steps.slice(at))) || rest.length === 0;
  }
  const [step, ...after] = steps;
  if (step === undefined) return false;
  const isMatch = "name" in first ? first.name === step : first.matches.test(step);
  return isMatch && matches(rest, after);
}
