import { VouchsafeError } from "../errors.ts";
import { attestProcess, gone, lookAt } from "./attest-process.ts";
import type { AttestedWorkload } from "./attested-workload.ts";
import { type Attestor, NOTHING } from "./attestors/attestor.ts";
import { denied } from "./denied.ts";
import type { Kernel } from "./kernel.ts";
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
    const whenOpened = await lookAt(pid).catch((error) => {
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
      const as = { ...whenOpened, status: { ...whenOpened.status, uid, gid } };
      const attested = await attestProcess(pid, { attestors, filesOf, as });
      // What was read while the process still lives was read of it and not of a later one.
      if (!isAlive()) throw gone();
      return { pid, ...attested };
    }
    return { pid, uid, attest, close };
  };
}
