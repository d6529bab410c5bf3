import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import { parseTrustedRoot } from "../../src/trust/trusted-root-file.ts";
import { readTufTarget } from "../../src/trust/tuf.ts";
import { serveFiles } from "../support/file-server.ts";
import type { Case, Corpus } from "./manifest.ts";

/** A client that starts from the root that it was given, at the time of the case, and downloads its target. */
export async function checkRepository(test: Case, corpus: Corpus): Promise<undefined> {
  const files = new Map<string, string>(Object.entries(test.files));
  const read = (name: string) => corpus.read(files.get(name) ?? name);
  const server = await serveFiles((path) => {
    const file = files.get(path.startsWith("/targets/") ? path.slice(1) : `metadata${path}`);
    return file === undefined ? undefined : corpus.read(file);
  });
  const cacheDir = await mkdtemp(join(tmpdir(), "tuf-case-"));
  // The client has no other clock than everybody's.
  mock.timers.enable({ apis: ["Date"], now: timeOf(read("faketime").toString()) });
  try {
    const root = parseTrustedRoot(read("initial_root.json"), "initial_root.json");
    const target = read("targetpath").toString().trim();
    await readTufTarget({ repository: server.url, root, target }, { cacheDir });
    return undefined;
  } finally {
    mock.timers.reset();
    await rm(cacheDir, { recursive: true });
    await server.close();
  }
}

/** `2025-02-09 09:17:23+00:00` */
function timeOf(text: string): Date {
  return new Date(text.trim().replace(" ", "T"));
}
