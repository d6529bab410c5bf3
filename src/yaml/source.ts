import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type ParsedNode,
  Parser,
  type Scalar,
} from "yaml";
import type { JsonObject, JsonValue } from "../in-toto-attestation/types.ts";
import type { Diagnostic } from "./diagnostics.ts";

const MAX_TEXT = 256 * 1024;
const MAX_DEPTH = 32;

/** One YAML file while it is read: where its mistakes are gathered, all of them, each with its place. */
export interface YamlSource {
  readonly file: string;
  readonly text: string;
  /** Notes a mistake at an offset (UTF-16 units from the file's start). */
  report(offset: number, message: string): undefined;
  readonly diagnostics: Diagnostic[];
}

/** A document of the file that is plain data; its nodes know where they stand. */
export interface YamlDocument {
  readonly node: ParsedNode;
  readonly json: JsonValue;
}

/**
 * Reads the documents of a YAML 1.2 file as plain data: no anchors, aliases, tags or merge keys, keys that are
 * unique strings, bounded size and depth. What is not so is reported, and the document left out.
 */
export function readYaml(file: string, text: string): { source: YamlSource; documents: YamlDocument[] } {
  const lines = new LineCounter();
  const diagnostics: Diagnostic[] = [];
  const report = (offset: number, message: string): undefined => {
    const { line, col } = lines.linePos(Math.max(0, Math.min(offset, text.length)));
    diagnostics.push({ file, line: Math.max(1, line), column: Math.max(1, col), message });
  };
  const source: YamlSource = { file, text, report, diagnostics };
  const documents: YamlDocument[] = [];
  for (const document of parse(source, lines)) {
    const mistakes = [...document.errors, ...document.warnings];
    for (const { pos, message } of mistakes) report(pos[0], message);
    if (mistakes.length > 0 || document.contents === null) continue;
    if (document.directives.yaml.explicit) {
      report(document.range[0], "directives are not taken: the file is YAML 1.2");
      continue;
    }
    const json = plainJson(source, document.contents, 0);
    // Null: nothing stands between two `---`.
    if (json !== undefined && json !== null) documents.push({ node: document.contents, json });
  }
  return { source, documents };
}

function parse(source: YamlSource, lines: LineCounter): Document.Parsed[] {
  if (source.text.length > MAX_TEXT) {
    source.report(0, `the file is longer than ${MAX_TEXT} characters`);
    return [];
  }
  if (!source.text.isWellFormed()) {
    source.report(0, "the file is not well-formed Unicode");
    return [];
  }
  // Unique keys are checked below, in linear time.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false });
  return [...composer.compose(boundedTokens(source, lines))];
}

/**
 * The tokens of the file, up to where they nest too deeply: composing them recurses, and a stack that is
 * exhausted inside the library can end the process.
 */
function* boundedTokens(source: YamlSource, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let offset = 0;
  for (const lexeme of new Lexer().lex(source.text)) {
    yield* parser.next(lexeme);
    offset += lexeme.length;
    // Each level of data is at most two levels of tokens (a map as an item of a sequence).
    if (parser.stack.length > 4 * MAX_DEPTH) {
      source.report(offset, `nested deeper than ${MAX_DEPTH} levels`);
      return;
    }
  }
  yield* parser.end();
}

/** The node's value as JSON, or undefined after what makes it impossible was reported. */
export function plainJson(source: YamlSource, node: Node | null, depth: number): JsonValue | undefined {
  if (node === null) return null;
  const at = startOf(node);
  if (depth > MAX_DEPTH) return source.report(at, `nested deeper than ${MAX_DEPTH} levels`);
  if (isAlias(node)) return source.report(at, "aliases are not taken: write the value out");
  if ("anchor" in node && node.anchor !== undefined) {
    return source.report(at, "anchors are not taken: write the value out where it is needed");
  }
  if (node.tag !== undefined) return source.report(at, "tags are not taken");
  if (isScalar(node)) return plainScalar(source, node);
  if (isSeq(node)) {
    const items = node.items.map((item) => plainJson(source, item as Node | null, depth + 1));
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  if (!isMap(node)) return source.report(at, "not plain data");
  return plainMap(source, node.items as { key: Node | null; value: Node | null }[], at, depth);
}

function plainMap(
  source: YamlSource,
  pairs: readonly { key: Node | null; value: Node | null }[],
  at: number,
  depth: number,
): JsonObject | undefined {
  const object: Record<string, JsonValue> = Object.create(null);
  let sound = true;
  for (const { key, value } of pairs) {
    if (
      !isScalar(key) ||
      typeof key.value !== "string" ||
      key.tag !== undefined ||
      key.anchor !== undefined
    ) {
      source.report(key === null ? at : startOf(key), "a key must be a plain string");
      sound = false;
      continue;
    }
    if (Object.hasOwn(object, key.value)) {
      source.report(startOf(key), `\`${key.value}\` is given twice`);
      sound = false;
    }
    const json = plainJson(source, value, depth + 1);
    if (json === undefined) sound = false;
    else object[key.value] = json;
  }
  return sound ? object : undefined;
}

function plainScalar(source: YamlSource, node: Scalar): JsonValue | undefined {
  const { value } = node;
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") {
    // An escape such as "\ud800" can still make one.
    return value.isWellFormed() ? value : source.report(startOf(node), "the text holds a lone surrogate");
  }
  if (typeof value === "number" && Number.isFinite(value)) {
    if (!Number.isInteger(value) || Number.isSafeInteger(value)) return value;
  }
  return source.report(startOf(node), "the number cannot be kept exactly: quote it if it is text");
}

export function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

/**
 * Where the character at `offset` of a scalar's value stands in the file, as an offset; the scalar's start where
 * escapes or folding put them apart.
 */
export function offsetWithin(source: YamlSource, scalar: Scalar, offset: number): number {
  const start = startOf(scalar);
  const value = String(scalar.value);
  if (scalar.type === "BLOCK_LITERAL") return offsetInBlock(source.text, start, value, offset);
  const quoted = scalar.type === "QUOTE_DOUBLE" || scalar.type === "QUOTE_SINGLE" ? 1 : 0;
  return source.text.startsWith(value, start + quoted) ? start + quoted + offset : start;
}

function offsetInBlock(text: string, start: number, value: string, offset: number): number {
  const before = value.slice(0, offset).split("\n");
  let lineStart = start;
  for (let line = 0; line < before.length; line += 1) {
    const newline = text.indexOf("\n", lineStart);
    if (newline === -1) return start;
    lineStart = newline + 1;
  }
  const valueLine = value.split("\n")[before.length - 1] ?? "";
  const end = text.indexOf("\n", lineStart);
  const fileLine = text.slice(lineStart, end === -1 ? undefined : end).replace(/\r$/, "");
  const indent = fileLine.length - valueLine.length;
  return lineStart + Math.max(0, indent) + (before.at(-1)?.length ?? 0);
}
