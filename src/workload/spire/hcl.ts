import { VouchsafeError } from "../../errors.ts";

/** What a plugin's configuration is made of here. */
export type HclValue = string | readonly string[];

const MAX_CHARACTERS = 65_536;

/** Sticky, and tried in this order; what none matches is refused. */
const BLANK = /(?:[ \t\r\n]+|#[^\n]*|\/\/[^\n]*|\/\*.*?\*\/)+/sy;
const STRING = /"(?:[^"\\\p{Cc}]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/uy;
const NAME = /[A-Za-z_][A-Za-z0-9_-]*/y;
const MARK = /[{}[\]=:,]/y;

interface Token {
  readonly kind: "string" | "name" | "mark" | "end";
  readonly text: string;
  readonly line: number;
}

/**
 * Reads one object whose members are strings and lists of strings: as HCL 1 (`name = "value"`), which SPIRE hands over, or
 * as the JSON that HCL takes. Blocks, numbers, heredocs, interpolation and repeated names are refused.
 *
 * @throws VouchsafeError `configuration-invalid`, with the line
 */
export function parseHcl(text: string): ReadonlyMap<string, HclValue> {
  if (text.length > MAX_CHARACTERS) throw invalid(`it is longer than ${MAX_CHARACTERS} characters`);
  const tokens = tokensOf(text);
  const object = new Map<string, HclValue>();
  let token = tokens.next().value;
  const next = () => {
    const taken = token;
    token = tokens.next().value;
    return taken;
  };
  const takes = (mark: string) => token.kind === "mark" && token.text === mark && next() !== undefined;

  const isBraced = takes("{");
  while (token.kind === "name" || token.kind === "string") {
    const { kind, text, line } = next();
    const name = kind === "string" ? stringOf(text, line) : text;
    if (object.has(name)) throw invalid(`${name} is there twice`, line);
    if (!takes("=") && !takes(":")) throw invalid(`${name} is followed by no value`, line);
    object.set(name, takes("[") ? readList() : readString());
    takes(",");
  }
  if (isBraced && !takes("}")) throw unexpected(token);
  if (token.kind !== "end") throw unexpected(token);
  return object;

  function readString(): string {
    const { kind, text, line } = next();
    if (kind !== "string") throw unexpected({ kind, text, line });
    return stringOf(text, line);
  }
  function readList(): readonly string[] {
    const values: string[] = [];
    while (!takes("]")) {
      values.push(readString());
      if (!takes(",") && !(token.kind === "mark" && token.text === "]")) throw unexpected(token);
    }
    return values;
  }
}

function* tokensOf(text: string): Generator<Token, Token, undefined> {
  let position = 0;
  let line = 1;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = position;
    const found = pattern.exec(text)?.[0];
    position += found?.length ?? 0;
    return found;
  };
  const kinds = [
    ["string", STRING],
    ["name", NAME],
    ["mark", MARK],
  ] as const;
  for (;;) {
    line += match(BLANK)?.split("\n").length ?? 1;
    line -= 1;
    if (position === text.length) break;
    let found: string | undefined;
    for (const [kind, pattern] of kinds) {
      found = match(pattern);
      if (found === undefined) continue;
      yield { kind, text: found, line };
      break;
    }
    if (found === undefined) throw invalid("it holds something else than strings and lists of them", line);
  }
  const end: Token = { kind: "end", text: "", line };
  for (;;) yield end;
}

function stringOf(literal: string, line: number): string {
  if (/[$%]\{/.test(literal)) throw invalid("a string that is to be interpolated", line);
  return JSON.parse(literal) as string;
}

function unexpected({ kind, text, line }: Token): VouchsafeError {
  return invalid(kind === "end" ? "it ends too early" : `${text} is not expected`, line);
}

function invalid(what: string, line?: number): VouchsafeError {
  const where = line === undefined ? "" : `, line ${line}`;
  return new VouchsafeError("configuration-invalid", `The plugin's configuration${where}: ${what}`);
}
