/**
 * Just enough of a TypeScript scanner to read a module's imports and identifiers without being fooled by
 * comments, strings, templates or regular expressions. What it cannot read it refuses, so that nothing is
 * overlooked.
 */

export interface Token {
  readonly kind: "word" | "string" | "punctuation" | "literal";
  /** A string's text is its raw contents without the quotes. */
  readonly text: string;
  /** Counts from 1. */
  readonly line: number;
}

export interface Import {
  readonly specifier: string;
  /** The exported names asked for: `default`, `*` for a namespace, none for a bare or dynamic import. */
  readonly names: readonly string[];
  readonly line: number;
}

const SPACE = /[\s\uFEFF]+/y;
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/y;
const NUMBER = /\.?\d[\w.]*/y;
const WORD = /[#\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const REGEX = /\/(?![*/])(?:[^/\\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+\/\w*/y;
const TEMPLATE_TEXT = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*/y;
const PUNCTUATION = /\?\.|\.\.\.|=>|[{}()[\];,<>+\-*/%&|^!~?:=.@]/y;

/** Words after which a slash opens a regular expression although a word stands before it. */
const BEFORE_EXPRESSION = new Set(
  "return typeof case in of delete void throw new instanceof else do await yield".split(" "),
);

/** Throws `SyntaxError` naming the line that it cannot read. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  /** For each open `${` of a template, how many braces are open within it. */
  const templates: number[] = [];
  let position = 0;
  let line = 1;

  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = position;
    const text = pattern.exec(source)?.[0];
    if (text === undefined) return undefined;
    position += text.length;
    line += text.split("\n").length - 1;
    return text;
  };
  const push = (kind: Token["kind"], text: string, at: number) => tokens.push({ kind, text, line: at });
  const takeTemplateText = (at: number) => {
    push("literal", take(TEMPLATE_TEXT) ?? "", at);
    if (source.startsWith("${", position)) {
      position += 2;
      templates.push(0);
    } else if (source[position] === "`") position += 1;
    else throw new SyntaxError(`line ${at}: a template that does not end`);
  };

  while (position < source.length) {
    if ((take(SPACE) ?? take(COMMENT)) !== undefined) continue;
    const at = line;
    const depth = templates.at(-1);
    if (source[position] === "`") {
      position += 1;
      takeTemplateText(at);
      continue;
    }
    if (depth === 0 && source[position] === "}") {
      position += 1;
      templates.pop();
      takeTemplateText(at);
      continue;
    }
    const string = take(STRING);
    if (string !== undefined) {
      push("string", string.slice(1, -1), at);
      continue;
    }
    const literal = take(NUMBER) ?? (opensRegex(tokens.at(-1)) ? take(REGEX) : undefined);
    if (literal !== undefined) {
      push("literal", literal, at);
      continue;
    }
    const word = take(WORD);
    if (word !== undefined) {
      push("word", word, at);
      continue;
    }
    const punctuation = take(PUNCTUATION);
    if (punctuation === undefined) throw new SyntaxError(`line ${at}: a character that cannot be read`);
    if (depth !== undefined && punctuation === "{") templates[templates.length - 1] = depth + 1;
    if (depth !== undefined && punctuation === "}") templates[templates.length - 1] = depth - 1;
    push("punctuation", punctuation, at);
  }
  return tokens;
}

/** Every module that the tokens import, re-export, import dynamically or `require`. */
export function importsOf(tokens: readonly Token[]): Import[] {
  const found: Import[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== "word" || tokens[index - 1]?.text === ".") continue;
    const next = tokens[index + 1];
    if (token.text === "import" && next?.kind === "string") {
      found.push({ specifier: next.text, names: [], line: token.line });
    } else if ((token.text === "import" || token.text === "require") && next?.text === "(") {
      found.push(callArgument(tokens, index + 2));
    } else if (token.text === "require" && tokens[index + 2]?.text === "resolve") {
      found.push(callArgument(tokens, index + 4));
    } else if (token.text === "import" && next?.text !== ".") {
      found.push(clause(tokens, index));
    } else if (token.text === "export" && reExports(tokens, index)) {
      found.push(clause(tokens, index));
    }
  }
  return found;
}

/** The module named by the argument of a call; a computed one cannot be checked and is refused. */
function callArgument(tokens: readonly Token[], index: number): Import {
  const argument = tokens[index];
  if (argument?.kind !== "string") {
    throw new SyntaxError(`line ${argument?.line ?? 0}: an import whose module is computed`);
  }
  return { specifier: argument.text, names: [], line: argument.line };
}

/** `import a, { b as c, type D } from "x"`, `export * from "x"` and their like, from their first word on. */
function clause(tokens: readonly Token[], start: number): Import {
  const line = tokens[start]?.line ?? 0;
  const names: string[] = [];
  let inBraces = false;
  for (let index = start + 1; index < tokens.length; index += 1) {
    const { kind, text } = tokens[index] as Token;
    const next = tokens[index + 1];
    if (text === "{" || text === "}") inBraces = text === "{";
    else if (text === "from" && next?.kind === "string") return { specifier: next.text, names, line };
    else if (text === "*") names.push("*");
    else if (text === "as") index += 1;
    else if (kind === "word" && !isTypeKeyword(text, next)) names.push(inBraces ? text : "default");
    else if (kind !== "word" && text !== ",") break;
  }
  throw new SyntaxError(`line ${line}: an import that cannot be read`);
}

/** Whether the `export` at this index is `export * …`, or `export { … }` with a `from`. */
function reExports(tokens: readonly Token[], start: number): boolean {
  const open = tokens[start + 1]?.text === "type" ? start + 2 : start + 1;
  if (tokens[open]?.text === "*") return true;
  if (tokens[open]?.text !== "{") return false;
  const close = tokens.findIndex((token, index) => index > open && token.text === "}");
  return tokens[close + 1]?.text === "from";
}

function isTypeKeyword(text: string, next: Token | undefined): boolean {
  if (text !== "type") return false;
  return next?.text === "{" || next?.text === "*" || (next?.kind === "word" && next.text !== "from");
}

function opensRegex(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === "word") return BEFORE_EXPRESSION.has(before.text);
  return before.kind === "punctuation" && before.text !== ")" && before.text !== "]";
}
