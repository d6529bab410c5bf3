/**
 * `npm run demo`: the main job, shown with the real parts in about half a minute: a Fulcio and a Rekor on this
 * machine, the real server on its embedded database, and the real command line, each command as one would type it.
 * Everything lives in a temporary directory that is gone at the end.
 */
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type RunningServer, startServer } from "../cli/server.ts";
import { actionsClaims } from "../sigstore/github-actions.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { slsaProvenance } from "../sigstore/provenance.ts";
import { buildWidget, flipOneByte } from "./artifact.ts";
import { byHand, createStage, type Stage } from "./stage.ts";

const POLICIES = fileURLToPath(new URL(".", import.meta.url));
const WIDGET = "widget-1.0.0.tar";
const TAMPERED = "widget-1.0.0-tampered.tar";
const CUSTODY = "widget-custody.jsonl";
/** Somebody else's copy of the repository, with the same workflow in it. */
const FORK = actionsClaims({ repository: "mallory/widget" });

const started = performance.now();
const directory = await mkdtemp(join(tmpdir(), "vouchsafe-demo-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
const stage = createStage(directory);
let sigstore: Sigstore | undefined;
let server: RunningServer | undefined;
try {
  stage.step("Start the parts");
  stage.tell(
    "A certificate authority (Fulcio) and a transparency log (Rekor), on this machine, for this demo.",
  );
  sigstore = await startSigstore();
  stage.tell("The Vouchsafe server, on its embedded database, with one policy: test/demo/policy.yaml.");
  server = await openServer(stage, sigstore);
  stage.tell("The server keeps a log of everything that it decides. Its key is kept aside, for the auditor:");
  await stage.run(["log", "key"], { saveAs: "log.key" });

  await buildAndAsk(stage);
  await signAndPush(stage, sigstore);
  await tamper(stage, sigstore);
  await quarantine(stage);

  stage.step("Give the whole story to an auditor, in one file");
  await stage.run(["custody", "show", WIDGET]);
  await stage.run(["custody", "export", WIDGET, "--output", CUSTODY]);

  stage.step("Verify that file offline, with the server stopped");
  await server.stop();
  await stage.run(["custody", "verify", CUSTODY, "--log-key", "log.key"]);
  stage.tell("Change one byte of it, and it no longer holds:");
  await writeFile(join(directory, CUSTODY), flipOneByte(await readFile(join(directory, CUSTODY))));
  await stage.run(["custody", "verify", CUSTODY, "--log-key", "log.key"], { expected: 1 });

  byHand(Math.round((performance.now() - started) / 1000));
} finally {
  await server?.stop();
  await sigstore?.close();
}

async function openServer(stage: Stage, { trustedRoot }: Sigstore): Promise<RunningServer> {
  const trustedRootFile = join(directory, "local-sigstore.json");
  const dataDir = join(directory, "data");
  await writeFile(trustedRootFile, JSON.stringify(trustedRoot));
  const running = await startServer({
    VOUCHSAFE_DATA_DIR: dataDir,
    VOUCHSAFE_POLICIES: POLICIES,
    VOUCHSAFE_TRUSTED_ROOT: trustedRootFile,
  });
  stage.connect({ VOUCHSAFE_SERVER: running.url, VOUCHSAFE_DATA_DIR: dataDir });
  return running;
}

async function buildAndAsk(stage: Stage): Promise<void> {
  stage.step("Build a small artifact, and ask whether it may run");
  await mkdir(join(directory, "evidence"));
  await writeFile(join(directory, WIDGET), buildWidget());
  stage.tell(`Built ${WIDGET}. Nobody has vouched for it, so the answer is no.`);
  await stage.run(["verify-digest", WIDGET, "--policy", "widget-release"], { expected: 1 });
}

async function signAndPush(stage: Stage, { signStatement }: Sigstore): Promise<void> {
  stage.step("Sign its provenance, keylessly, as the release workflow of acme/widget would");
  const bytes = await readFile(join(directory, WIDGET));
  const provenance = await signStatement(slsaProvenance([{ name: WIDGET, bytes }]));
  await writeFile(join(directory, "evidence/release.sigstore.json"), provenance);
  stage.tell(
    "Fulcio certified who signs, for ten minutes; Rekor logged the signature; the key is gone already.",
  );

  stage.step("Push the provenance, and ask again");
  stage.tell(
    "Signature, certificate, log entry, builder and source are checked, and the custody log records it.",
  );
  await stage.run(["push", "evidence/release.sigstore.json"]);
  await stage.run(["verify-digest", WIDGET, "--policy", "widget-release"]);
}

async function tamper(stage: Stage, { signStatement }: Sigstore): Promise<void> {
  stage.step("Tamper with one byte of the artifact");
  const bytes = flipOneByte(await readFile(join(directory, WIDGET)));
  await writeFile(join(directory, TAMPERED), bytes);
  stage.tell("Another byte is another digest, and no evidence is about that one:");
  await stage.run(["verify-digest", TAMPERED, "--policy", "widget-release"], { expected: 1 });

  stage.tell(
    "So whoever tampered with it signs provenance for it too, by the workflow of a fork. It is genuine",
  );
  stage.tell(
    "evidence, and it is recorded, but it is not from where widgets come. The answer names the nearest miss:",
  );
  const provenance = await signStatement(slsaProvenance([{ name: TAMPERED, bytes }], FORK), { claims: FORK });
  await writeFile(join(directory, "evidence/fork.sigstore.json"), provenance);
  await stage.run(["push", "evidence/fork.sigstore.json"]);
  await stage.run(["verify-digest", TAMPERED, "--policy", "widget-release"], { expected: 1 });
}

async function quarantine(stage: Stage): Promise<void> {
  stage.step("Quarantine the genuine artifact: its evidence still holds, and it is denied at once");
  await stage.run(["quarantine", "add", WIDGET, "--reason", "a vulnerability was found in it"]);
  await stage.run(["verify-digest", WIDGET, "--policy", "widget-release"], { expected: 1 });
}
