import { act } from "./act.ts";
import { openRunner } from "./runner.ts";

const runner = openRunner(process.env, (text) => process.stdout.write(text));
process.exitCode = (await act(process.env, runner, process.cwd())) ? 0 : 1;
