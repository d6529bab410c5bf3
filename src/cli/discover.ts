import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { Command } from "commander";
import type { DiscoveredResult } from "../client/discovery.ts";
import { sha256 } from "../in-toto-attestation/digest.ts";
import { collect } from "./arguments/collect.ts";
import { writeNew } from "./arguments/new-file.ts";
import type { Sought } from "./evidence/discover-evidence.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { short } from "./output/findings.ts";
import { action, type Session } from "./session.ts";

interface DiscoverOptions {
  readonly from?: readonly string[];
  readonly output?: string;
}

/** What went wrong with a source or a piece. */
interface Trouble {
  readonly code: string;
  readonly detail: string;
}

const HELP = `
Where to look:
  oci://HOST/REPOSITORY[:TAG][@DIGEST]   what refers to an image in its registry
  npm:NAME@VERSION                       attestations of a package at npm
  pypi:PROJECT@VERSION[/FILE]            provenance of a file at PyPI
  github:OWNER[/REPOSITORY]              what GitHub stores

Without --output the server looks, and takes what it finds. With it this machine looks, and no server is asked.`;

export function discoverCommand(): Command {
  return new Command("discover")
    .description(
      "look for evidence about an artifact where the artifact is: registries of images and packages, GitHub",
    )
    .argument("<artifact>", "algorithm:hex, a file, or where it is: oci://…, npm:…, pypi:…")
    .option("--from <reference>", "where to look; may be repeated", collect)
    .option("-o, --output <directory>", "write what is found into files there, and push nothing")
    .addHelpText("after", HELP)
    .action(
      action(async (session, artifact: string, { from = [], output }: DiscoverOptions) => {
        // Loaded here alone, and below: every other command would wait for the readers of evidence.
        const { seek } = await import("./evidence/discover-evidence.ts");
        const sought = await seek(artifact, from, process.env);
        return output === undefined ? haveServerLook(session, sought) : lookHere(session, sought, output);
      }),
    );
}

async function haveServerLook({ client, terminal, json }: Session, { sources }: Sought): Promise<ExitCode> {
  const digests = [...new Set(sources.map(({ digest }) => digest))];
  const searched = [];
  for (const digest of digests) {
    const from = sources.filter((source) => source.digest === digest).map(({ text }) => text);
    searched.push(...(await client().discover(digest, from)));
  }
  if (json) terminal.printJson({ sources: searched });
  else {
    for (const { source, results, problem } of searched) {
      for (const result of results)
        terminal.print(wordsOf(result), result.status === "refused" ? "bad" : "good");
      tell(terminal, source, results.length, problem);
    }
  }
  const evidence = searched.flatMap(({ results }) => results).filter((result) => "attestation" in result);
  const troubles = searched.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  return exitOf(evidence.length, troubles);
}

async function lookHere({ terminal, json }: Session, { sources }: Sought, output: string): Promise<ExitCode> {
  const { discoverHere } = await import("./evidence/discover-evidence.ts");
  await mkdir(output, { recursive: true });
  const searched = [];
  for (const source of sources) {
    terminal.progress(`looking at ${source.text}`);
    const { found, trouble } = await discoverHere(source, process.env);
    const files = [];
    for (const { case: kind, bytes, from } of found) {
      const id = sha256(bytes);
      const file = join(
        output,
        `${id.replace(":", "-")}.${kind === "manifest" ? "manifest" : "attestation"}.json`,
      );
      await writeOnce(file, bytes);
      files.push({ kind, id, file, from });
      if (!json) terminal.print(`wrote ${file}: ${kind} ${short(id)}`, "good");
    }
    const problem = trouble && { code: trouble.code, detail: trouble.message };
    if (!json) tell(terminal, source.text, files.length, problem);
    searched.push({ source: source.text, digest: source.digest, files, ...(problem && { problem }) });
  }
  if (json) terminal.printJson({ sources: searched });
  const evidence = searched.flatMap(({ files }) => files).filter(({ kind }) => kind === "evidence");
  return exitOf(
    evidence.length,
    searched.flatMap(({ problem }) => problem ?? []),
  );
}

/** Files are named for their content: one that is there already, and whole, is left as it is. */
async function writeOnce(file: string, bytes: Uint8Array): Promise<void> {
  const before = await readFile(file).catch(() => undefined);
  if (before?.equals(bytes)) return;
  await writeNew(file, Readable.from([bytes]));
}

function wordsOf(result: DiscoveredResult): string {
  if (result.status === "refused")
    return `refused ${result.from}: ${result.problem.detail} (${result.problem.code})`;
  const { status, from } = result;
  if ("manifest" in result)
    return `${status} manifest ${short(result.manifest.digest)}, log index ${result.manifest.receipt.index}`;
  return `${status} evidence ${short(result.attestation.id)} from ${from}, log index ${result.receipt.index}`;
}

function tell(
  { note }: Session["terminal"],
  source: string,
  count: number,
  problem: Trouble | undefined,
): void {
  if (problem !== undefined) note(`${source}: ${problem.detail} (${problem.code})`, "bad");
  else if (count === 0) note(`${source}: nothing about it`);
}

/**
 * Nothing found is no success: who goes on from there would verify nothing. A piece that is refused beside others is none that
 * the caller chose.
 */
function exitOf(evidence: number, troubles: readonly Trouble[]): ExitCode {
  if (troubles.some(({ code }) => code === "outbound-failed" || code === "unavailable")) return EXIT.failed;
  return evidence > 0 && troubles.length === 0 ? EXIT.ok : EXIT.refused;
}
