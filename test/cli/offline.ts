import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Verdict, type VerifyOptions, verifyOffline } from "../../src/cli/verify/offline.ts";
import type { VerifyReport } from "../../src/cli/verify/report.ts";
import { tellVerdict } from "../../src/cli/verify/words.ts";
import { recordedTerminal } from "../support/recorded-terminal.ts";

/** A directory to verify in, and what is told of a verdict there. */
export interface OfflineHouse {
  readonly directory: string;
  /** Writes a file and gives its path. */
  write(name: string, content: unknown): Promise<string>;
  close(): Promise<void>;
}

export async function openOfflineHouse(): Promise<OfflineHouse> {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-offline-"));
  return {
    directory,
    async write(name, content) {
      const path = join(directory, name);
      const isText = typeof content === "string" || content instanceof Uint8Array;
      await writeFile(path, isText ? content : JSON.stringify(content));
      return path;
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

export interface Told {
  readonly verdict: Verdict;
  readonly report: VerifyReport;
  /** The result in words. */
  readonly words: string;
  /** What to do next. */
  readonly notes: string;
  /** The step that failed and its code; undefined for what verified. */
  readonly failed: string | undefined;
}

/** Verifies as `vouchsafe verify` does, now. */
export async function tell(
  artifact: string,
  options: VerifyOptions,
  { env = {}, isTTY = false }: { readonly env?: NodeJS.ProcessEnv; readonly isTTY?: boolean } = {},
): Promise<Told> {
  const verdict = await verifyOffline(artifact, options, Date.now());
  const words = recordedTerminal(env, isTTY);
  tellVerdict(verdict, words.terminal, false);
  const json = recordedTerminal();
  tellVerdict(verdict, json.terminal, true);
  const report = JSON.parse(json.written.stdout) as VerifyReport;
  return {
    verdict,
    report,
    words: words.written.stdout,
    notes: words.written.stderr,
    failed: report.error && `${report.error.step} ${report.error.code}`,
  };
}
