import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { INPUT_NAMES } from "../../src/action/inputs.ts";
import { createClient } from "../../src/client/client.ts";
import { openNode, type TestNode } from "../http/node.ts";
import { RELEASE_POLICY } from "../http/release.ts";
import { actionsClaims } from "../sigstore/github-actions.ts";
import { startSigstore } from "../sigstore/instance.ts";
import { sha256Hex, slsaProvenance } from "../sigstore/provenance.ts";
import { AUDIENCE, accessPolicy, type OidcIssuer, startOidcIssuer } from "../support/oidc-issuer.ts";
import { stopPostgres } from "../support/postgres.ts";
import { type IdTokens, serveIdTokens } from "./id-tokens.ts";
import { gitLabJob, runShell } from "./shell.ts";
import { commandsIn, openStep, readAction, type Step } from "./step.ts";

/** `UPDATE_GOLDEN=1` writes it anew; look at it, rendered, before you commit it. */
const GOLDEN = new URL("../../testdata/action-summary.golden.md", import.meta.url);

const WIDGET = { name: "widget-1.tgz", bytes: Buffer.from("the widget") };
const OTHER = { name: "widget-2.tgz", bytes: Buffer.from("another") };
/** Attested while it is waited for. */
const LATE = { name: "widget-3.tgz", bytes: Buffer.from("late") };
/** The audience of tokens that are good for one request. */
const ONCE = "https://once.example.com";
/** Somebody else's copy of the repository. */
const FORK = actionsClaims({ repository: "mallory/widget" });
const UPLOADERS = `    - claims: { repository: acme/widget, ref: refs/heads/main }
      roles: [uploader]
      policies: [release]`;
/** From a build that says what it likes: markup, commands of the runner, line ends. */
const HOSTILE = {
  name: 'a|b`<img src=x onerror=alert(1)>\n::set-output name=verdict::allow\n##[add-mask]x [x](javascript:0) "%0A',
  bytes: Buffer.from("hostile"),
};

describe("the action, as the runner runs it", () => {
  let directory: string;
  let node: TestNode;
  let server: string;
  let token: string;
  let step: Step;
  let issuer: OidcIssuer;
  let job: IdTokens;
  let late: Uint8Array;
  const given = (inputs: Readonly<Record<string, string>>) => ({
    server,
    token,
    policy: "release",
    ...inputs,
  });

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-action-test-"));
    const sigstore = await startSigstore();
    await writeFile(join(directory, "root.json"), JSON.stringify(sigstore.trustedRoot));
    await writeFile(join(directory, "release.yaml"), RELEASE_POLICY);
    issuer = await startOidcIssuer();
    job = await serveIdTokens(issuer);
    await writeFile(join(directory, "access.yaml"), accessPolicy(issuer.issuer, { rules: UPLOADERS }));
    await writeFile(
      join(directory, "access-once.yaml"),
      accessPolicy(issuer.issuer, { name: "once", rules: UPLOADERS, oidc: "    once: true" }).replace(
        AUDIENCE,
        ONCE,
      ),
    );
    step = await openStep();
    node = await openNode({
      VOUCHSAFE_TRUSTED_ROOT: join(directory, "root.json"),
      VOUCHSAFE_POLICIES: directory,
      VOUCHSAFE_OUTBOUND_PRIVATE: "127.0.0.1",
    });
    server = await node.app.listen({ host: "127.0.0.1", port: 0 });
    token = await node.token(["uploader"], { mayChoosePolicy: true });
    late = await sigstore.signStatement(slsaProvenance([LATE]));
    for (const { name, bytes } of [WIDGET, OTHER]) await step.write(name, bytes);
    const { subject, ...provenance } = slsaProvenance([WIDGET]);
    const weak = { name: "widget-commit", digest: { gitCommit: "a".repeat(40) } };
    await step.write(
      "weak.json",
      await sigstore.signStatement({ ...provenance, subject: [...subject, weak] }),
    );
    await step.write("late.tgz", LATE.bytes);
    await step.write("widget.sigstore.json", await sigstore.signStatement(slsaProvenance([WIDGET])));
    await step.write(
      "fork.sigstore.json",
      await sigstore.signStatement(slsaProvenance([OTHER], FORK), { claims: FORK }),
    );
    await step.write("hostile.sigstore.json", await sigstore.signStatement(slsaProvenance([HOSTILE])));
    await sigstore.close();
  });
  after(async () => {
    await step?.close();
    await job?.close();
    await issuer?.close();
    await node?.close();
    await stopPostgres();
    await rm(directory, { recursive: true });
  });

  test("pushes, asks, and says so in outputs, log and summary", async () => {
    const { succeeded, log, outputs, summary } = await step.run(
      given({ "bundle-path": "*.sigstore.json\n!hostile*, !fork*", "subject-path": WIDGET.name }),
    );
    assert.ok(succeeded, log);
    assert.deepEqual([...outputs.keys()].sort(), Object.keys((await readAction()).outputs).sort());
    assert.equal(outputs.get("verdict"), "allow");
    assert.match(outputs.get("attestation-id") ?? "", /^sha256:[0-9a-f]{64}$/);
    assert.match(JSON.parse(outputs.get("receipt") ?? "").checkpoint, /\n— /);
    assert.deepEqual(commandsIn(log), [`::add-mask::${token}`]);
    assert.match(summary, /## Vouchsafe: ✅ allowed/);
    assert.ok(summary.includes(`custody/sha256&#58;${sha256Hex(WIDGET.bytes)}`), summary);
  });

  test("what the evidence is about is asked about where the workflow names nothing", async () => {
    const { succeeded, outputs, log } = await step.run(given({ "bundle-path": "widget.sigstore.json" }));
    assert.ok(succeeded, log);
    assert.equal(outputs.get("verdict"), "allow");
  });

  test("what evidence names by a weak digest alone is not allowed, and not left out", async () => {
    const { succeeded, log, outputs } = await step.run(given({ "bundle-path": "weak.json" }));
    assert.ok(!succeeded);
    assert.equal(outputs.get("verdict"), "deny");
    assert.match(
      log,
      /^allow widget-1\.tgz.*^::error [^:]*::widget-commit \(gitCommit:a+\): there is no decision/ms,
    );
  });

  test("a denied subject fails the step, and one among many is enough", async () => {
    const { succeeded, log, outputs, summary } = await step.run(given({ "subject-path": "widget-*" }));
    assert.ok(!succeeded);
    assert.equal(outputs.get("verdict"), "deny");
    assert.match(log, /^::error title=Vouchsafe%3A denied::widget-2\.tgz \(sha256:/m);
    assert.match(log, /^allow widget-1\.tgz/m);
    assert.match(summary, /## Vouchsafe: ❌ denied/);
  });

  test("the summary is as in testdata/action-summary.golden.md", async () => {
    const { summary } = await step.run(
      given({ "bundle-path": "widget.sigstore.json, fork.sigstore.json", "subject-path": "widget-*.tgz" }),
    );
    const steady = summary
      .replaceAll(`&#58;${new URL(server).port}`, "&#58;8080")
      .replace(/\| \d+ (?=\| <a)/g, "| 7 ")
      .replace(/\| \d+ \|$/gm, "| 5 |");
    if (process.env.UPDATE_GOLDEN === "1") await writeFile(GOLDEN, steady);
    assert.equal(steady, await readFile(GOLDEN, "utf8"));
  });

  test("with fail-on-deny: false it is told and the job goes on", async () => {
    const { succeeded, log, outputs } = await step.run(
      given({ "subject-path": OTHER.name, "fail-on-deny": "false" }),
    );
    assert.ok(succeeded, log);
    assert.equal(outputs.get("verdict"), "deny");
    assert.match(log, /^::warning /m);
  });

  test("nothing that evidence says is taken for a command, an output or markup", async () => {
    const { succeeded, log, outputs, summary } = await step.run(
      given({ "bundle-path": "hostile.sigstore.json" }),
    );
    assert.ok(!succeeded);
    assert.equal(outputs.get("verdict"), "deny");
    assert.deepEqual(
      commandsIn(log).map((line) => /^::([a-z-]+)[ :]/.exec(line)?.[1]),
      ["add-mask", "error"],
    );
    assert.doesNotMatch(summary, /<img|\]\(|::set|onerror=/);
    assert.equal(summary.split("\n").filter((line) => line.startsWith("| ")).length, 6, summary);
  });

  test("a job's OIDC token is enough, where an AccessPolicy takes it, and is masked", async () => {
    const { succeeded, log, outputs } = await step.run(
      { server, audience: AUDIENCE, "bundle-path": "widget.sigstore.json" },
      job.env,
    );
    assert.ok(succeeded, log);
    assert.equal(outputs.get("verdict"), "allow");
    assert.deepEqual(commandsIn(log), [`::add-mask::${job.given.at(-1)}`]);
    assert.equal(job.given.length, 1);
  });

  test("where each token is good for one request, another is asked for", async () => {
    const before = job.given.length;
    const { succeeded, log } = await step.run(
      { server, audience: ONCE, "bundle-path": "widget.sigstore.json" },
      job.env,
    );
    assert.ok(succeeded, log);
    assert.deepEqual(
      commandsIn(log),
      job.given.slice(before).map((token) => `::add-mask::${token}`),
    );
    assert.ok(job.given.length >= before + 2);
  });

  test("with `wait` the step goes on as soon as it is allowed", async () => {
    const client = createClient({ server, token });
    let pushed: Promise<unknown> | undefined;
    const { succeeded, log } = await step.run(
      given({ "subject-path": "late.tgz", wait: "60" }),
      {},
      (said) => {
        if (said.includes("waiting")) pushed ??= client.pushAttestation(late);
      },
    );
    await pushed;
    assert.ok(succeeded, log);
    assert.match(log, /^1 of 1 not allowed yet: waiting\n.*allow late\.tgz/ms);
  });

  test("a token for the server's URL is refused by a policy that asks for another audience, and the log says so", async () => {
    const { succeeded, log } = await step.run({ server, "subject-path": WIDGET.name }, job.env);
    assert.ok(!succeeded);
    assert.match(log, /^::error .*AccessPolicy/m);
  });

  test("GitLab's component pushes and asks by the job's ID token", async () => {
    const subjects = `${WIDGET.name} ${OTHER.name}`;
    const component = await gitLabJob({ server, bundles: "widget.*.json", subjects });
    assert.deepEqual(component.id_tokens, { VOUCHSAFE_ID_TOKEN: { aud: server } });
    const { status, said } = await runShell(component.script.join("\n"), step.workspace, {
      ...component.variables,
      VOUCHSAFE_ID_TOKEN: await issuer.token(),
      VOUCHSAFE_AUDIENCE: AUDIENCE,
    });
    assert.equal(status, 1, said);
    assert.match(said, /^known widget\.sigstore\.json.*^allow sha256:.*^deny sha256:/ms);
    // Variables that are empty, with a space between: what was to be asked about is not there.
    const blank = await gitLabJob({ server, bundles: "widget.*.json", subjects: " " });
    assert.equal((await runShell(blank.script.join("\n"), step.workspace, blank.variables)).status, 2);
  });

  test("the recipe for curl in docs/ci.md pushes and asks", async () => {
    const [, recipe = ""] =
      /^```sh\n(# What `curl` needs.*?)^```$/ms.exec(await readFile("docs/ci.md", "utf8")) ?? [];
    const gate = async (file: string) => {
      const env = { SERVER: server, TOKEN: await issuer.token(), BUNDLE: "widget.sigstore.json", FILE: file };
      return runShell(recipe, step.workspace, env);
    };
    const { status, said } = await gate(WIDGET.name);
    assert.equal(status, 0, said);
    assert.equal((await gate(OTHER.name)).status, 1);
  });

  test("evidence that is refused fails the step", async () => {
    await step.write("broken.json", "{}");
    const { succeeded, log, summary } = await step.run(
      given({ "bundle-path": "broken.json", "subject-path": WIDGET.name }),
    );
    assert.ok(!succeeded);
    assert.match(log, /^::error title=Vouchsafe%3A evidence refused::/m);
    assert.match(summary, /❌ refused/);
  });

  test("what is wrong with the step is one sentence that says what to do", async () => {
    const table: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
      [{ server: "" }, /`server` is missing/],
      [{ token: "", "subject-path": WIDGET.name }, /id-token: write/],
      [{ token: "vouchsafe_wrong", "subject-path": WIDGET.name }, /AccessPolicy/],
      [{}, /Give `bundle-path` to push evidence, a `subject-…` to ask about, or both/],
      [{ "subject-path": "none-*" }, /matches no file/],
      [{ "bundle-path": "none-*" }, /matches no file/],
      [{ "subject-path": WIDGET.name, "subject-checksums": "x" }, /and not several/],
      [{ "subject-digest": `sha256:${"0".repeat(64)}` }, /needs a `subject-name`/],
      [{ "subject-name": "web", "subject-digest": "", "bundle-path": "none-*" }, /and both are empty/],
      [{ "subject-path": WIDGET.name, server: "http://127.0.0.1:1" }, /cannot be reached/],
      [{ "subject-path": WIDGET.name, wait: "soon" }, /number of seconds/],
      [{ "subject-path": WIDGET.name, "fail-on-deny": "no" }, /true or false/],
    ];
    for (const [inputs, said] of table) {
      const { succeeded, log, summary } = await step.run(given(inputs));
      assert.ok(!succeeded, log);
      const errors = commandsIn(log).filter((line) => line.startsWith("::error"));
      assert.equal(errors.length, 1, log);
      assert.match(errors[0] ?? "", said);
      assert.match(summary, /not decided/);
    }
  });

  test("action.yml has the inputs that the code reads", async () => {
    const { inputs } = await readAction();
    assert.deepEqual(Object.keys(inputs).sort(), [...INPUT_NAMES].sort());
  });
});
