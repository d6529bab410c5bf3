/**
 * `npm run demo`: the main job, shown with the real parts in about half a minute: a Fulcio and a Rekor on this
 * machine, the real server on its embedded database, the real agent, and the real command line, each command as one
 * would type it. Everything lives in a temporary directory that is gone at the end.
 */
import { rmSync } from "node:fs";
import { appendFile, copyFile, mkdir, mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "../../src/client/client.ts";
import { parseTrustDomain } from "../../src/identity/spiffe-id.ts";
import { parseTrustBundle } from "../../src/identity/trust-bundle.ts";
import { type RunningServer, startServer } from "../cli/server.ts";
import { actionsClaims } from "../sigstore/github-actions.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { sha256Hex, slsaProvenance } from "../sigstore/provenance.ts";
import { buildSingleExecutable } from "../support/single-executable.ts";
import { flipOneByte } from "./altered.ts";
import { type Peer, startPeer } from "./peer.ts";
import { byHand, createStage, type Stage } from "./stage.ts";
import { runWidget, type WidgetProcess } from "./widget-process.ts";

const POLICIES = fileURLToPath(new URL(".", import.meta.url));
const WORKLOAD = fileURLToPath(new URL("workload.cjs", import.meta.url));
const WIDGET = "widget-1.0.0";
const TAMPERED = "widget-1.0.0-tampered";
const CUSTODY = "widget-custody.jsonl";
const SOCKET = "agent.sock";
/** Somebody else's copy of the repository, with the same workflow in it. */
const FORK = actionsClaims({ repository: "mallory/widget" });

const started = performance.now();
const directory = await mkdtemp(join(tmpdir(), "vouchsafe-demo-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
const stage = createStage(directory);
const closers: (() => Promise<void>)[] = [];
try {
  stage.step("Start the parts");
  stage.tell(
    "A certificate authority (Fulcio) and a transparency log (Rekor), on this machine, for this demo.",
  );
  const sigstore = await startSigstore();
  closers.push(sigstore.close);
  stage.tell(
    "The Vouchsafe server, on its embedded database, with the two policies of test/demo/policy.yaml.",
  );
  const server = await openServer(stage, sigstore);
  closers.push(server.stop);
  stage.tell("The server keeps a log of everything that it decides. Its key is kept aside, for the auditor:");
  await stage.run(["log", "key"], { saveAs: "log.key" });
  stage.tell("The node's agent joins with a token that works once, and serves the SPIFFE Workload API:");
  await stage.run(["token", "create", "--role", "agent", "--name", "node-1"], {
    saveAs: "join-token",
    secret: true,
  });
  const agent = await stage.start(
    ["agent", "--socket", SOCKET, "--data-dir", "agent", "--join-token-file", "join-token"],
    /serves the Workload API/,
  );
  closers.push(agent.stop);
  const peer = await openPeer(server);
  closers.push(peer.close);

  await buildAndAsk(stage);
  await signAndPush(stage, sigstore);
  const widget = await runIt(stage, peer);
  closers.push(widget.stop);
  await tamper(stage, sigstore, peer);
  await quarantine(stage, widget);

  stage.step("Give the whole story to an auditor, in one file");
  await stage.run(["custody", "show", WIDGET]);
  await stage.run(["custody", "export", WIDGET, "--output", CUSTODY]);

  stage.step("Verify that file offline, with the server stopped: it names every SVID that was granted");
  await server.stop();
  await stage.run(["custody", "verify", CUSTODY, "--log-key", "log.key"]);
  stage.tell("Change one byte of it, and it no longer holds:");
  await writeFile(join(directory, CUSTODY), flipOneByte(await readFile(join(directory, CUSTODY))));
  await stage.run(["custody", "verify", CUSTODY, "--log-key", "log.key"], { expected: 1 });

  byHand(Math.round((performance.now() - started) / 1000));
} finally {
  for (const close of closers.reverse()) await close();
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

async function openPeer({ url }: RunningServer): Promise<Peer> {
  const bundle = await createClient({ server: url }).trustBundle();
  return startPeer(parseTrustBundle(Buffer.from(bundle), parseTrustDomain("vouchsafe.local")));
}

async function buildAndAsk(stage: Stage): Promise<void> {
  stage.step("Build a program as one executable file, and ask whether it may run");
  await mkdir(join(directory, "evidence"));
  await buildSingleExecutable(WORKLOAD, join(directory, WIDGET));
  const { size } = await stat(join(directory, WIDGET));
  stage.tell(`Built ${WIDGET} (${Math.round(size / 1e6)} MB: the program and its Node, in one).`);
  stage.tell("Nobody has vouched for it, so the answer is no.");
  await stage.run(["verify-digest", WIDGET, "--policy", "widget-release"], { expected: 1 });
}

async function signAndPush(stage: Stage, { signStatement }: Sigstore): Promise<void> {
  stage.step("Sign its provenance, keylessly, as the release workflow of acme/widget would");
  const sha256 = sha256Hex(await readFile(join(directory, WIDGET)));
  const provenance = await signStatement(slsaProvenance([{ name: WIDGET, sha256 }]));
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

async function runIt(stage: Stage, peer: Peer): Promise<WidgetProcess> {
  stage.step("Run it: it gets an identity because of what it runs, and no secret was put anywhere");
  const called = peer.nextCaller();
  const widget = runWidget(join(directory, WIDGET), { socket: join(directory, SOCKET), peer });
  const { spiffeId } = await widget.event("svid");
  stage.tell(
    `Process ${widget.pid} opened the agent's socket. The kernel said who it is, the agent hashed what it`,
  );
  stage.tell(`runs, the server decided, recorded it, and signed an X.509-SVID: ${spiffeId}.`);
  const { grounds } = await called;
  const { answer } = await widget.event("greeted");
  stage.tell(
    `With it the process called another service over mutual TLS, which said "${answer}" after it had read`,
  );
  stage.tell(`from the certificate what the caller runs: ${grounds?.digests.join(", ")}.`);
  return widget;
}

async function tamper(stage: Stage, { signStatement }: Sigstore, peer: Peer): Promise<void> {
  stage.step("Append one byte to the program");
  await copyFile(join(directory, WIDGET), join(directory, TAMPERED));
  await appendFile(join(directory, TAMPERED), "!");
  const tampered = runWidget(join(directory, TAMPERED), { socket: join(directory, SOCKET), peer });
  const refused = await tampered.event("refused");
  await tampered.stop();
  stage.tell("It runs as before, but it is another program now, and gets no identity:");
  stage.tell(`${refused.code === 7 ? "PermissionDenied" : refused.code}: ${refused.reason}`);

  stage.tell(
    "So whoever tampered with it signs provenance for it too, by the workflow of a fork. It is genuine",
  );
  stage.tell(
    "evidence, and it is recorded, but it is not from where widgets come. The answer names the nearest miss:",
  );
  const sha256 = sha256Hex(await readFile(join(directory, TAMPERED)));
  const provenance = await signStatement(slsaProvenance([{ name: TAMPERED, sha256 }], FORK), {
    claims: FORK,
  });
  await writeFile(join(directory, "evidence/fork.sigstore.json"), provenance);
  await stage.run(["push", "evidence/fork.sigstore.json"]);
  await stage.run(["verify-digest", TAMPERED, "--policy", "widget-release"], { expected: 1 });
}

async function quarantine(stage: Stage, widget: WidgetProcess): Promise<void> {
  stage.step(
    "Quarantine the genuine program while it runs: its evidence still holds, and it is denied at once",
  );
  await stage.run(["quarantine", "add", WIDGET, "--reason", "a vulnerability was found in it"]);
  const refused = await widget.event("refused");
  const svids = widget.told.filter(({ event }) => event === "svid").length;
  stage.tell(
    `The running process had ${svids} SVID${svids === 1 ? "" : "s"}, each for ten seconds. Its agent told it at once:`,
  );
  stage.tell(`${refused.code === 7 ? "PermissionDenied" : refused.code}: ${refused.reason}`);
  stage.tell(
    "It gets no other one, and a peer that asks about the digest in its certificate hears the same:",
  );
  await stage.run(["verify-digest", WIDGET, "--policy", "widget-release"], { expected: 1 });
}
