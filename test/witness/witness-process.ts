import { startVouchsafe } from "../cli/vouchsafe.ts";

/** A witness as its operator runs it: a process of its own. */
export interface WitnessProcess {
  readonly url: string;
  readonly verifierKey: string;
  stop(): Promise<void>;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
}

export async function startWitness(
  directory: string,
  {
    name,
    logs,
    port = 0,
  }: { readonly name: string; readonly logs: readonly string[]; readonly port?: number },
): Promise<WitnessProcess> {
  const args = ["witness", "--listen", `127.0.0.1:${port}`, "--dir", directory, "--name", name];
  const { said, stop, kill } = await startVouchsafe([...args, ...logs.flatMap((key) => ["--log", key])], {
    cwd: "/",
    ready: / witnesses /,
  });
  const [, verifierKey = "", url = ""] = /^(\S+) witnesses .* on (\S+)$/.exec(said) ?? [];
  return { url, verifierKey, stop, kill };
}
