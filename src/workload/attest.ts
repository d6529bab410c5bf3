import { VouchsafeError } from "../errors.ts";
import type { Digest } from "../in-toto-attestation/types.ts";
import type { AttestedComponents, AttestedWorkload } from "./attested-workload.ts";
import { type Attestation, type Attestor, NOTHING } from "./attestors/attestor.ts";
import { denied } from "./denied.ts";
import { executableState } from "./executable.ts";
import type { Kernel, PeerCredentials } from "./kernel.ts";
import { type ProcessStatus, readProcessStatus } from "./process-status.ts";
import type { FilesOf } from "./registrations.ts";

/** The process that opened a connection, held so that its pid cannot come to mean another. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
  /** Attests what the process is at this moment. Throws `VouchsafeError` (`identity-denied`). */
  attest(): Promise<AttestedWorkload>;
  /** Lets go of the process. */
  close(): void;
}

export interface PeerOptions {
  readonly kernel: Kernel;
  /** Each is asked about every process, and all that they say counts. */
  readonly attestors: readonly Attestor[];
  /** What workload policies ask of a process besides; nothing, if left out. */
  readonly filesOf?: FilesOf;
  /** Whether to do without pidfds, before Linux 6.5: only start times tell processes of one pid apart then. */
  readonly allowMissingPidfd?: boolean;
}

/** What the server takes as a selector: one line of so many characters, without control characters. */
const MAX_SELECTOR = 4096;
/** The server takes no more; the attestors stay below it, each by bounds of its own. */
const MAX_SELECTORS = 128;
const ONE_LINE = /^\P{Cc}+$/u;

/**
 * Attests the processes at the other end of unix sockets. The kernel's word counts (who connected; what runs), and
 * nothing that the process says of itself. A descriptor that was handed on speaks for whoever connected it: see
 * docs/THREAT-MODEL.md.
 */
export function createPeerOpener(options: PeerOptions) {
  const { kernel, attestors, filesOf = async () => NOTHING, allowMissingPidfd = false } = options;
  /** @param fd a connected unix socket; @returns who connected it, to be closed. Throws `VouchsafeError`. */
  return async function openPeer(fd: number): Promise<Peer> {
    const credentials = kernel.peerOf(fd);
    if (credentials === undefined) throw denied("peer-unknown", "The kernel does not say who connected");
    const { pid, uid, gid, pidfd } = credentials;
    if (pidfd === undefined && !allowMissingPidfd) {
      throw new VouchsafeError("configuration-invalid", "SO_PEERPIDFD needs Linux 6.5: see docs/agent.md");
    }
    let isClosed = false;
    // A closed descriptor's number may be another's: nothing is asked of it any more.
    const isAlive = () => !isClosed && (pidfd === undefined || kernel.isAlive(pidfd));
    const close = () => {
      if (pidfd !== undefined && !isClosed) kernel.close(pidfd);
      isClosed = true;
    };
    const whenOpened = await look(pid).catch((error) => {
      close();
      throw error;
    });

    async function attest(): Promise<AttestedWorkload> {
      try {
        return await attestNow();
      } catch (error) {
        throw isAlive() ? error : gone(error);
      }
    }
    async function attestNow(): Promise<AttestedWorkload> {
      const { status, state } = await look(pid);
      const whoItIs = await Promise.allSettled(
        attestors.map((attestor) => attestor.attest({ pid, status, executable: state })),
      );
      // Which files are asked for depends on who it is.
      const answers = [
        ...whoItIs,
        ...(await Promise.allSettled([filesOf(pid, selectorsOf(answered(whoItIs)))])),
      ];
      const now = await look(pid);
      // In this order: what was read while the process still lives was read of it and not of a later one.
      if (!isAlive()) throw gone();
      requireSameProcess(now, whenOpened, { uid, gid });
      if (now.status.cgroups.join("\n") !== status.cgroups.join("\n")) {
        throw denied("cgroup-changed", "The process was moved to another cgroup while it was attested");
      }
      const told = allOf(answers);
      return { pid, ...componentsOf(told), selectors: selectorsOf(told) };
    }
    return { pid, uid, attest, close };
  };
}

interface Look {
  readonly status: ProcessStatus;
  readonly state: string;
}

async function look(pid: number): Promise<Look> {
  return { status: await readProcessStatus(pid), state: await executableState(pid) };
}

/** Refuses a pid that was given out again, and a connection that outlived an exec or a change of user. */
function requireSameProcess(
  now: Look,
  whenOpened: Look,
  { uid, gid }: Pick<PeerCredentials, "uid" | "gid">,
): void {
  if (now.status.startTime !== whenOpened.status.startTime) throw gone();
  if (now.state !== whenOpened.state) {
    throw denied("executable-changed", "The process runs another executable than when it connected");
  }
  if (now.status.uid !== uid || now.status.gid !== gid) {
    throw denied("user-changed", "The process has another user or group than when it connected");
  }
}

function gone(cause?: unknown): VouchsafeError {
  return denied("process-gone", "The process that connected has ended", cause);
}

/** Throws what one of them threw, and a denial first: that another had no answer now leaves no doubt about it. */
function allOf(answers: readonly PromiseSettledResult<Attestation>[]): readonly Attestation[] {
  const errors = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason] : []));
  if (errors.length > 0) throw errors.find(({ code }) => code === "identity-denied") ?? errors[0];
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
