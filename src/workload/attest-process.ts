import type { VouchsafeError } from "../errors.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { AttestedComponents, AttestedWorkload } from "./attested-workload.ts";
import { type Attestation, type Attestor, NOTHING } from "./attestors/attestor.ts";
import { denied, isDenial } from "./denied.ts";
import { executableState } from "./executable.ts";
import { type ProcessStatus, readProcessStatus } from "./process-status.ts";
import type { FilesOf } from "./registrations.ts";

/** What the server takes as a selector: one line of so many characters, without control characters. */
const MAX_SELECTOR = 4096;
/** The server takes no more; the attestors stay below it, each by bounds of its own. */
const MAX_SELECTORS = 128;
const ONE_LINE = /^\P{Cc}+$/u;

/** A process at one moment. */
export interface Look {
  readonly status: ProcessStatus;
  /** Which file it runs, in which state: see `executableState`. */
  readonly state: string;
}

export interface ProcessOptions {
  /** Each is asked about every process, and all that they say counts. */
  readonly attestors: readonly Attestor[];
  /** What workload policies ask of a process besides; nothing, if left out. */
  readonly filesOf?: FilesOf;
  /** As what it must still be there afterwards; as at the first look, if left out. */
  readonly as?: Look;
}

export async function lookAt(pid: number): Promise<Look> {
  return { status: await readProcessStatus(pid), state: await executableState(pid) };
}

/**
 * What all attestors together say of a process, which is one and the same from the first look to the last. That its pid
 * still means the process that was meant is for the caller to know.
 *
 * Throws `VouchsafeError`: `identity-denied`, or `unavailable` where there is no answer now.
 */
export async function attestProcess(
  pid: number,
  options: ProcessOptions,
): Promise<Omit<AttestedWorkload, "pid">> {
  const { attestors, filesOf = async () => NOTHING } = options;
  const { status, state } = await lookAt(pid);
  const whoItIs = await Promise.allSettled(
    attestors.map((attestor) => attestor.attest({ pid, status, executable: state })),
  );
  // Which files are asked for depends on who it is.
  const answers = [...whoItIs, ...(await Promise.allSettled([filesOf(pid, selectorsOf(answered(whoItIs)))]))];
  const now = await lookAt(pid);
  requireSameProcess(now, options.as ?? { status, state });
  if (now.status.cgroups.join("\n") !== status.cgroups.join("\n")) {
    throw denied("cgroup-changed", "The process was moved to another cgroup while it was attested");
  }
  const told = allOf(answers);
  return { ...componentsOf(told), selectors: selectorsOf(told) };
}

/** Refuses a pid that was given out again, and a process that ran another file or had another user. */
function requireSameProcess(now: Look, before: Look): void {
  if (now.status.startTime !== before.status.startTime) throw gone();
  if (now.state !== before.state) {
    throw denied("executable-changed", "The process runs another executable than when it connected");
  }
  if (now.status.uid !== before.status.uid || now.status.gid !== before.status.gid) {
    throw denied("user-changed", "The process has another user or group than when it connected");
  }
}

export function gone(cause?: unknown): VouchsafeError {
  return denied("process-gone", "The process that connected has ended", cause);
}

/** Throws what one of them threw, and a denial first: that another had no answer now leaves no doubt about it. */
function allOf(answers: readonly PromiseSettledResult<Attestation>[]): readonly Attestation[] {
  const errors = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason] : []));
  if (errors.length > 0) throw errors.find(isDenial) ?? errors[0];
  return answered(answers);
}

function answered(answers: readonly PromiseSettledResult<Attestation>[]): readonly Attestation[] {
  return answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
}

/** What one attestor says of a component and what another says both count: where they differ, each digest is judged. */
function componentsOf(told: readonly Attestation[]): AttestedComponents {
  const components: Record<string, Digest[]> = {};
  for (const [name, digests] of told.flatMap((attestation) => Object.entries(attestation.components))) {
    components[name] = [...new Set([...(components[name] ?? []), ...digests])];
  }
  const absent = told
    .flatMap((attestation) => Object.entries(attestation.absent ?? {}))
    .filter(([name]) => components[name] === undefined);
  return { components, absent: Object.fromEntries(absent) };
}

/** A name that cannot be told is as good as none: it matches no policy, and spoils none of the others. */
function selectorsOf(told: readonly Attestation[]): string[] {
  const all = told
    .flatMap(({ selectors }) => selectors)
    .filter((selector) => selector.length <= MAX_SELECTOR && ONE_LINE.test(selector));
  return [...new Set(all)].slice(0, MAX_SELECTORS).sort();
}
