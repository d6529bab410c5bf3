import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type RunningCommand, startVouchsafe, vouchsafe } from "../cli/vouchsafe.ts";

/** Tells the story on stdout and runs its commands. */
export interface Stage {
  /** Opens the next numbered step. */
  step(title: string): void;
  tell(sentence: string): void;
  /** What commands from here on find in their environment. */
  connect(env: Readonly<Record<string, string>>): void;
  /**
   * Shows a command as one would type it, runs it, and shows what it wrote. Throws when it ends with another
   * status than expected: a demo that does not go as told must not look as if it did.
   */
  run(
    args: readonly string[],
    options?: {
      readonly expected?: number;
      readonly saveAs?: string;
      /** What it wrote is not for the screen. */
      readonly secret?: boolean;
    },
  ): Promise<void>;
  /** Shows a command that goes on, starts it, and waits until it writes that it is ready. */
  start(args: readonly string[], ready: RegExp): Promise<RunningCommand>;
}

export function createStage(directory: string): Stage {
  let steps = 0;
  let env: Readonly<Record<string, string>> = {};
  let isTelling = false;
  return {
    step(title) {
      steps += 1;
      isTelling = false;
      console.log(`\n${steps}. ${title}`);
    },
    tell(sentence) {
      console.log(`${isTelling ? "" : "\n"}   ${sentence}`);
      isTelling = true;
    },
    connect(settings) {
      env = settings;
    },
    async run(args, { expected = 0, saveAs, secret = false } = {}) {
      isTelling = false;
      const typed = ["vouchsafe", ...args].map(quoted).join(" ");
      console.log(`\n   $ ${typed}${saveAs === undefined ? "" : ` > ${saveAs}`}`);
      const { status, stdout, stderr } = await vouchsafe(args, { cwd: directory, env });
      if (saveAs !== undefined) await writeFile(join(directory, saveAs), stdout);
      for (const line of `${secret ? "" : stdout}${stderr}`.trimEnd().split("\n"))
        console.log(`     ${line}`);
      if (status !== 0) console.log(`     (exit status ${status})`);
      if (status !== expected)
        throw new Error(`${typed} ended with ${status} where ${expected} was expected`);
    },
    async start(args, ready) {
      isTelling = false;
      console.log(`\n   $ ${["vouchsafe", ...args].map(quoted).join(" ")} &`);
      const running = await startVouchsafe(args, { cwd: directory, env, ready });
      console.log(`     ${running.said}`);
      return running;
    },
  };
}

/** Closes the demo: how to do the same by hand, with a server that stays. */
export function byHand(seconds: number): void {
  console.log(`
That was the main job, in ${seconds} seconds. By hand, with a server of your own:

   npm start

and in another terminal, in the same directory:

   alias vouchsafe="npm run --silent vouchsafe --"
   vouchsafe log key > log.key               keep the log's key where the server cannot change it
   vouchsafe policy lint policies            check policies; docs/policy.md says how to write them
   vouchsafe policy activate policies        put them in force
   vouchsafe push FILE…                      Sigstore bundles or DSSE envelopes, such as those that
                                             \`gh attestation download\` or \`cosign attest-blob\` write
   vouchsafe verify-digest FILE --policy NAME
   vouchsafe quarantine add FILE --reason "…"
   vouchsafe custody show FILE               where it comes from, and what became of it
   vouchsafe custody export FILE --output custody.jsonl
   vouchsafe custody verify custody.jsonl --log-key log.key

The same over HTTP: GET /openapi.json describes every route. README.md goes on from here.`);
}

function quoted(argument: string): string {
  return /^[\w./:@+-]+$/.test(argument) ? argument : `"${argument}"`;
}
