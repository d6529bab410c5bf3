import { compileGlob, type Glob, GlobError } from "./glob.ts";

/** Files by their absolute path, of which the last segment may be a glob. */
export interface FilePattern {
  /** Of the directory; empty for the root. */
  readonly directory: string;
  readonly name: Glob;
  /** Whether it names one file at most. */
  readonly isExact: boolean;
}

const MAX_PATH = 1024;
const WILDCARD = /[*\\?[\]{}]/;

/** Throws `GlobError`, whose offset counts from the text's start. */
export function parseFilePattern(text: string): FilePattern {
  if (!text.startsWith("/")) throw new GlobError("an absolute path is expected", 0);
  if (text.length > MAX_PATH) throw new GlobError(`longer than ${MAX_PATH} characters`, MAX_PATH);
  if (/\p{Cc}/u.test(text)) throw new GlobError("a path has no control characters here", 0);
  const end = text.lastIndexOf("/");
  const [directory, last] = [text.slice(0, end), text.slice(end + 1)];
  const segments = [...directory.split("/").slice(1), last];
  if (segments.some((segment) => ["", ".", ".."].includes(segment))) {
    throw new GlobError("a path without empty, `.` and `..` segments is expected", 0);
  }
  const wildcard = WILDCARD.exec(directory);
  if (wildcard !== null) throw new GlobError("only the last segment may be a glob", wildcard.index);
  return { directory, name: compileGlob(last), isExact: !WILDCARD.test(last) };
}
