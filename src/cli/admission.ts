import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import type { FailMode } from "../admission/answer.ts";
import type { AdmissionLogEntry } from "../admission/server.ts";
import { parseListenAddress } from "./arguments/listen-address.ts";
import { findToken } from "./credentials.ts";
import { EXIT } from "./exit-codes.ts";
import type { Terminal } from "./output/terminal.ts";
import { action } from "./session.ts";
import { UsageError } from "./usage-error.ts";

interface AdmissionOptions {
  readonly listen: string;
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly clientCa?: string;
  readonly policy?: string;
  readonly policies?: string;
  readonly fail: FailMode;
}

export function admissionCommand(): Command {
  return new Command("admission")
    .description("serve a Kubernetes validating admission webhook that asks the server, until SIGTERM")
    .requiredOption("--tls-cert <file>", "its certificate, PEM; read again when it changes")
    .requiredOption("--tls-key <file>", "the certificate's key, PEM")
    .option(
      "--client-ca <file>",
      "who signs the API server's client certificate; without it, anybody may ask",
    )
    .option("--listen <host:port>", "where the API server finds it", "0.0.0.0:8443")
    .option("--policy <name>", "that images must pass; without it, those of the credential")
    .option("--policies <file>", "YAML that names a policy by namespace, in the place of --policy")
    .addOption(
      new Option("--fail <mode>", "what becomes of images while the server cannot be asked")
        .choices(["closed", "open"])
        .default("closed"),
    )
    .action(
      action(async ({ terminal, json, server }, options: AdmissionOptions) => {
        const { tlsCert: cert, tlsKey: key, clientCa, fail } = options;
        // Loaded here alone: no other command needs it.
        const { serveAdmission } = await import("../admission/server.ts");
        const policyOf = await policiesOf(options);
        const token = findToken(server(), process.env);
        if (token === undefined)
          throw new UsageError("Name the webhook's credential in VOUCHSAFE_TOKEN_FILE");
        const ending = new AbortController();
        for (const name of ["SIGTERM", "SIGINT"]) process.once(name, () => ending.abort());
        const serving = await serveAdmission(
          { server: { server: server(), token }, policyOf, fail },
          {
            ...parseListenAddress(options.listen),
            tls: { cert, key, ...(clientCa !== undefined && { clientCa }) },
            log: logTo(terminal, json),
          },
        );
        if (json) terminal.printJson({ url: serving.url });
        else terminal.print(`asks ${server()} about what is admitted, on ${serving.url}/admit`);
        if (!ending.signal.aborted) await once(ending.signal, "abort");
        await serving.close();
        return EXIT.ok;
      }),
    );
}

async function policiesOf({ policy, policies }: AdmissionOptions) {
  if (policies === undefined) return () => policy;
  if (policy !== undefined) throw new UsageError("--policies names a default itself: leave --policy out");
  const { readPolicies } = await import("../admission/policies.ts");
  const text = await readFile(policies, "utf8").catch((cause) => {
    throw new UsageError(`--policies names ${policies}, which cannot be read`, { cause });
  });
  return readPolicies(policies, text);
}

/** One line for each review, on stderr. */
function logTo(terminal: Terminal, json: boolean) {
  return (entry: AdmissionLogEntry) => {
    const time = new Date().toISOString();
    const { event, kind, namespace, problem } = entry;
    if (json) terminal.note(JSON.stringify({ time, ...entry }));
    else
      terminal.note(
        [time, event, kind, namespace, problem && JSON.stringify(problem)].filter(Boolean).join(" "),
      );
  };
}
