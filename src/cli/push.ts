import { Command } from "commander";
import { ApiError } from "../client/api-error.ts";
import type { Client } from "../client/client.ts";
import type { ManifestRecorded, Pushed } from "../client/types.ts";
import { collect } from "./collect.ts";
import type { Piece } from "./evidence-file.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { readBytes, requireReadable } from "./files.ts";
import { printChecks, short } from "./findings.ts";
import type { Join, PartsElsewhere } from "./joined-evidence.ts";
import { action } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** What became of a manifest or one item of evidence: a file, or by its number a line of it or a piece in it. */
type Result = { readonly file: string; readonly item?: number } & (
  | ({ readonly status: "accepted" | "known" } & (Pushed | { readonly manifest: ManifestRecorded }))
  | {
      readonly status: "refused";
      readonly code: string;
      readonly detail: string;
      /** Nothing is wrong with the evidence: the server could not take it now. */
      readonly isPassing: boolean;
    }
);

/** Files on their way at once: the server commits together what arrives together. */
const AT_ONCE = 8;
/** Of the nearest miss, what a push shows; verify-digest and artifact show tell all. */
const CHECKS_SHOWN = 2;

export function pushCommand(): Command {
  return new Command("push")
    .description(
      "push evidence: Sigstore bundles, DSSE envelopes, PyPI attestations, JSON Lines or registries' lists of them; " +
        "and image indexes and manifests, whose parts then pass what they pass",
    )
    .argument("<file...>", "files of evidence, and manifests as registries have them")
    .option(
      "--oci-manifest <file>",
      "the OCI manifest, or the descriptor, whose layers the files are (cosign)",
    )
    .option(
      "--rekor-entry <file>",
      "log entries about envelopes, as Rekor answers them; may be repeated",
      collect,
    )
    .option("--rekor-url <url>", "a Rekor log to search for the entries about envelopes")
    .action(
      action(async ({ client, terminal, json }, files: string[], elsewhere: PartsElsewhere) => {
        // Before anything is sent: a mistyped name must not leave half of the files pushed.
        await Promise.all(files.map(requireReadable));
        // Loaded here alone: with it come the formats of evidence, and every other command would wait for them.
        const { joinWith } = await import("./joined-evidence.ts");
        const join = await joinWith(elsewhere);
        const results: Result[] = [];
        let done = 0;
        for await (const ofFile of inOrder(files, AT_ONCE, (file) => pushFile(client(), file, join))) {
          results.push(...ofFile);
          done += 1;
          if (!json) for (const result of ofFile) show(terminal, result);
          if (files.length > 1) {
            terminal.progress(`pushed ${done} of ${files.length} files, ${refusedAmong(results)} refused`);
          }
        }
        if (json) terminal.printJson({ results });
        else if (results.length > 1) {
          const refused = refusedAmong(results);
          terminal.note(`${results.length - refused} of ${results.length} recorded, ${refused} refused`);
        }
        return exitOf(results);
      }),
    );
}

function refusedAmong(results: readonly Result[]): number {
  return results.filter(({ status }) => status === "refused").length;
}

function exitOf(results: readonly Result[]): ExitCode {
  const refused = results.filter((result) => result.status === "refused");
  if (refused.length === 0) return EXIT.ok;
  return refused.some(({ isPassing }) => isPassing) ? EXIT.failed : EXIT.refused;
}

async function pushFile(client: Client, file: string, join: Join): Promise<Result[]> {
  const { piecesOf } = await import("./evidence-file.ts");
  const results: Result[] = [];
  for (const piece of piecesOf(await join(file, await readBytes(file)))) {
    if (piece.case === "item") results.push(await pushItem(file, () => pushEvidence(client, piece.bytes)));
    else if (piece.case === "manifest")
      results.push(await pushItem(file, () => pushManifest(client, piece.bytes)));
    else results.push(...(await pushSeveral(client, file, piece)));
  }
  return results;
}

async function pushEvidence(client: Client, bytes: Uint8Array) {
  const { created, ...pushed } = await client.pushAttestation(bytes);
  return { created, pushed };
}

async function pushManifest(client: Client, bytes: Uint8Array) {
  const { created, ...manifest } = await client.recordManifest(bytes);
  return { created, pushed: { manifest } };
}

async function pushItem(
  file: string,
  push: () => Promise<{ created: boolean; pushed: Pushed | { manifest: ManifestRecorded } }>,
): Promise<Result> {
  try {
    const { created, pushed } = await push();
    return { file, status: created ? "accepted" : "known", ...pushed };
  } catch (error) {
    if (!(error instanceof ApiError) || !isAboutEvidence(error)) throw error;
    return { file, status: "refused", code: error.code, detail: error.message, isPassing: false };
  }
}

/** Whether the next file may fare better: not so when nobody is there or the token may not push. */
function isAboutEvidence({ status }: ApiError): boolean {
  return status === 400 || status === 413 || status === 422;
}

async function pushSeveral(
  client: Client,
  file: string,
  piece: Extract<Piece, { case: "lines" | "container" }>,
): Promise<Result[]> {
  const numbers = piece.case === "lines" ? piece.numbers : [];
  const mediaType = piece.case === "lines" ? "application/jsonl" : "application/json";
  return (await client.pushSeveral(piece.bytes, mediaType)).map((result) => {
    const where = { file, item: numbers[result.item - 1] ?? result.item };
    if (result.status !== "refused") return { ...result, ...where };
    const { code, detail, status } = result.problem;
    return { ...where, status: "refused", code, detail, isPassing: status === 429 || status >= 500 };
  });
}

function show(terminal: Terminal, result: Result): void {
  const where = result.item === undefined ? result.file : `${result.file}:${result.item}`;
  if (result.status === "refused") {
    terminal.note(`refused ${where}: ${result.detail} (${result.code})`, "bad");
    return;
  }
  if ("manifest" in result) {
    const { digest, contains, receipt } = result.manifest;
    terminal.print(
      `${result.status} ${where}: manifest of ${digest}, which contains ${contains.length} ${contains.length === 1 ? "other" : "others"}, log index ${receipt.index}`,
      "good",
    );
    return;
  }
  const { attestation, receipt, verdicts } = result;
  terminal.print(`${result.status} ${where}: evidence ${attestation.id}, log index ${receipt.index}`, "good");
  for (const { policy, outcome, artifacts, slsaLevel, checks } of verdicts) {
    terminal.print(
      `  policy ${policy} ${outcome} for ${artifacts.map(short).join(", ")}, SLSA build level ${slsaLevel}`,
    );
    if (outcome === "failed") printChecks(terminal, checks, "    ", CHECKS_SHOWN);
  }
}

/** Runs a few at once and gives the results in the order of the items. */
async function* inOrder<Item, T>(items: readonly Item[], atOnce: number, run: (item: Item) => Promise<T>) {
  const running: Promise<T>[] = [];
  for (const item of items) {
    const result = run(item);
    // A failure counts when its turn comes; until then it must not end the process as unhandled.
    result.catch(() => undefined);
    running.push(result);
    if (running.length === atOnce) yield (await running.shift()) as T;
  }
  for (const result of running) yield await result;
}
