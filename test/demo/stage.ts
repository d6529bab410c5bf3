import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { vouchsafe } from "../cli/vouchsafe.ts";

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
    options?: { readonly expected?: number; readonly saveAs?: string },
  ): Promise<void>;
}

export function createStage(directory: string): Stage {
  let steps = 0;
  let env: Readonly<Record<string, string>> = {};
  return {
    step(title) {
      steps += 1;
      console.log(`\n${steps}. ${title}\n`);
    },
    tell: (sentence) => console.log(`   ${sentence}`),
    connect(settings) {
      env = settings;
    },
    async run(args, { expected = 0, saveAs } = {}) {
      const typed = ["vouchsafe", ...args].map(quoted).join(" ");
      console.log(`\n   $ ${typed}${saveAs === undefined ? "" : ` > ${saveAs}`}`);
      const { status, stdout, stderr } = await vouchsafe(args, { cwd: directory, env });
      if (saveAs !== undefined) await writeFile(join(directory, saveAs), stdout);
      for (const line of `${stdout}${stderr}`.trimEnd().split("\n")) console.log(`     ${line}`);
      console.log(status === 0 ? "" : `     (exit status ${status})\n`);
      if (status !== expected)
        throw new Error(`${typed} ended with ${status} where ${expected} was expected`);
    },
  };
}

/** Closes the demo: how to do the same by hand, with a server that stays. */
export function byHand(seconds: number): void {
  console.log(`
That was the main job, in ${seconds} seconds. By hand, with a server of your own:

   npm start                                            the server; it prints where its operator token is
   npm run vouchsafe -- log key > log.key               keep the log's key where the server cannot change it
   npm run vouchsafe -- policy lint policies            check policies; docs/policy.md says how to write them
   npm run vouchsafe -- policy activate policies        put them in force
   npm run vouchsafe -- push FILE…                      Sigstore bundles or DSSE envelopes, e.g. from
                                                        \`gh attestation download\` or \`cosign attest\`
   npm run vouchsafe -- verify-digest FILE --policy NAME
   npm run vouchsafe -- quarantine add FILE --reason "…"
   npm run vouchsafe -- custody export FILE --output custody.jsonl
   npm run vouchsafe -- custody verify custody.jsonl --log-key log.key

The same over HTTP: GET /openapi.json on the server describes every route. README.md goes on from here.`);
}

function quoted(argument: string): string {
  return /^[\w./:@+-]+$/.test(argument) ? argument : `"${argument}"`;
}
