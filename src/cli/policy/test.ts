import { Command } from "commander";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { action, type Session } from "../session.ts";
import { UsageError } from "../usage-error.ts";

const EPILOGUE = `
Each test stands beside the policies that it is of; docs/policy.md tells how to write one.
Nothing is asked of a server or the network, and no clock is read.`;

export function policyTestCommand(): Command {
  return new Command("test")
    .description("hold policies to the cases in the *.test.yaml beside them, without a server")
    .argument("[dir|file...]", "tests, or directories that are searched for them", ["policies"])
    .addHelpText("after", EPILOGUE)
    .action(action(test));
}

async function test(session: Session, paths: readonly string[]): Promise<ExitCode> {
  // Loaded here alone: policies and the verifier are large, and every other command would wait for them.
  const [{ findTests, runTests }, { tellTests }] = await Promise.all([
    import("./test-run.ts"),
    import("./test-words.ts"),
  ]);
  const directories = await findTests(paths);
  if (directories.size === 0) throw new UsageError(`There is no .test.yaml file in ${paths.join(", ")}`);
  const ran = await runTests(session, directories);
  if (ran === undefined) return EXIT.refused;
  tellTests(ran, session);
  return ran.every(({ passed }) => passed) ? EXIT.ok : EXIT.refused;
}
