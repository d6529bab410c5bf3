import { readFile } from "node:fs/promises";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { ApiError } from "../../client/api-error.ts";
import { hasCode, VouchsafeError } from "../../errors.ts";
import type { Attestor } from "../attestors/attestor.ts";
import { openAttestors } from "../attestors/open-attestors.ts";
import { unixAttestor } from "../attestors/unix.ts";
import { isDenial } from "../denied.ts";
import { type AskPolicy, createAskPolicy } from "./ask-policies.ts";
import { attestPid } from "./attest-pid.ts";
import { type PluginConfiguration, parseConfiguration } from "./configuration.ts";
import type { Log } from "./hclog.ts";
import { Config } from "./proto/config_pb.ts";
import { Init } from "./proto/init_pb.ts";
import { WorkloadAttestor } from "./proto/workloadattestor_pb.ts";
import { selectorsFor } from "./selectors.ts";

export interface WorkloadAttestorOptions {
  readonly log: Log;
  readonly clock?: () => number;
}

interface Configured {
  readonly configuration: PluginConfiguration;
  readonly ask: AskPolicy;
  readonly attestors: readonly Attestor[];
}

const SERVICES: readonly string[] = [WorkloadAttestor.typeName, Config.typeName];
/** Attestations at once: executables are read, and questions are sent, for each. */
const MAX_ATTESTATIONS = 64;

/** The services of a SPIRE agent's WorkloadAttestor plugin. */
export function workloadAttestor({ log, clock = Date.now }: WorkloadAttestorOptions) {
  const unix = unixAttestor();
  let configured: Configured | undefined;
  let underWay = 0;

  async function attest(pid: number): Promise<{ selectorValues: string[] }> {
    if (configured === undefined) {
      throw new ConnectError("The plugin is not configured yet", Code.FailedPrecondition);
    }
    const { configuration, ask, attestors } = configured;
    try {
      const digests = await attestPid(pid, attestors, configuration.components);
      const selectorValues = await selectorsFor(digests, configuration.policies, ask);
      log("debug", "attested", { pid, digests, selectors: selectorValues });
      return { selectorValues };
    } catch (error) {
      // What can be vouched for in no case is told apart from what could not be found out.
      if (!isDenial(error)) throw statusOf(error);
      log("info", "nothing to attest", { pid, reasons: error.extensions.reasons, error: error.message });
      return { selectorValues: [] };
    }
  }

  return (router: ConnectRouter): void => {
    router.service(Init, {
      init: () => ({ pluginServiceNames: [...SERVICES] }),
      deinit: () => ({}),
    });
    router.service(Config, {
      configure({ hclConfiguration }) {
        try {
          const { configuration, attestors } = opened(hclConfiguration);
          const { server, tokenFile } = configuration;
          const before = configured;
          configured = {
            configuration,
            attestors: [unix, ...attestors],
            ask: createAskPolicy({ server, token: () => readToken(tokenFile), clock }),
          };
          // Those of the host's programs stay; what a call under way still asks of the others fails, and it with it.
          for (const attestor of before?.attestors ?? []) attestor.close?.();
        } catch (error) {
          throw new ConnectError(messageOf(error), Code.InvalidArgument);
        }
        log("info", "configured", { ...configured.configuration });
        return {};
      },
      validate({ hclConfiguration }) {
        try {
          for (const attestor of opened(hclConfiguration).attestors) attestor.close?.();
          return { valid: true, notes: [] };
        } catch (error) {
          return { valid: false, notes: [messageOf(error)] };
        }
      },
    });
    router.service(WorkloadAttestor, {
      async attest({ pid }) {
        if (pid <= 0) throw new ConnectError(`${pid} is no process id`, Code.InvalidArgument);
        if (underWay >= MAX_ATTESTATIONS) {
          throw new ConnectError("Too many attestations are under way", Code.ResourceExhausted);
        }
        underWay += 1;
        try {
          return await attest(pid);
        } finally {
          underWay -= 1;
        }
      },
    });
  };
}

/** Nothing is asked of a runtime yet. Throws `VouchsafeError` (`configuration-invalid`). */
function opened(hclConfiguration: string) {
  const configuration = parseConfiguration(hclConfiguration);
  return { configuration, attestors: openAttestors(configuration.attestors) };
}

async function readToken(file: string): Promise<string> {
  const token = await readFile(file, "utf8").then(
    (text) => text.trim(),
    (cause) => {
      throw new VouchsafeError("configuration-invalid", `token_file ${file} cannot be read`, { cause });
    },
  );
  // What no HTTP header can carry is not quoted in an error either.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new VouchsafeError("configuration-invalid", `token_file ${file} holds no token`);
  }
  return token;
}

/** What SPIRE's log is to say; the workload gets none of this plugin's selectors. */
function statusOf(error: unknown): ConnectError {
  const isAway = error instanceof ApiError || hasCode(error, "unavailable");
  if (isAway) return new ConnectError(error.message, Code.Unavailable);
  if (error instanceof VouchsafeError) return new ConnectError(error.message, Code.FailedPrecondition);
  return new ConnectError("The attestation failed", Code.Internal, undefined, undefined, error);
}

function messageOf(error: unknown): string {
  return error instanceof VouchsafeError ? error.message : "The configuration cannot be read";
}
