import { closeSync } from "node:fs";
import koffi from "koffi";
import { VouchsafeError } from "../errors.ts";

/** The process that called connect(2), as the kernel noted it then (unix(7)). */
export interface PeerCredentials {
  /** In this process's pid namespace. */
  readonly pid: number;
  /** Effective ones. */
  readonly uid: number;
  readonly gid: number;
  /**
   * Refers to that process and to no later one of the same pid (pidfd_open(2)); undefined before Linux 6.5. The
   * caller closes it.
   */
  readonly pidfd: number | undefined;
}

// asm-generic/socket.h: the same on x86-64 and arm64, the platforms that the agent runs on.
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERPIDFD = 77;
const POLLIN = 1;

/** Loaded when an agent starts and not with the CLI: only Linux has these, and koffi takes its time. */
export function openKernel() {
  if (process.platform !== "linux") {
    throw new VouchsafeError("configuration-invalid", "The agent attests processes as only Linux can");
  }
  // No name: what Node itself is linked with, be it glibc or musl.
  const libc = koffi.load(null);
  const getsockopt = libc.func("int getsockopt(int, int, int, _Out_ void *, _Inout_ uint32_t *)");
  const poll = libc.func("int poll(_Inout_ void *, unsigned long, int)");

  function socketOption(fd: number, option: number, size: number): Buffer | undefined {
    const value = Buffer.alloc(size);
    const length = [size];
    const failed = getsockopt(fd, SOL_SOCKET, option, value, length) !== 0;
    return failed || length[0] !== size ? undefined : value;
  }

  return {
    /** Who is at the other end of a connected unix socket; undefined where that cannot be known. */
    peerOf(fd: number): PeerCredentials | undefined {
      const credentials = socketOption(fd, SO_PEERCRED, 12);
      const pid = credentials?.readInt32LE(0) ?? 0;
      // A process of a pid namespace that is not within ours has the pid 0.
      if (credentials === undefined || pid <= 0) return undefined;
      const pidfd = socketOption(fd, SO_PEERPIDFD, 4)?.readInt32LE(0);
      return { pid, uid: credentials.readUInt32LE(4), gid: credentials.readUInt32LE(8), pidfd };
    },
    /** Whether the process has not ended; one that nobody has waited for yet has. */
    isAlive(pidfd: number): boolean {
      const request = Buffer.alloc(8);
      request.writeInt32LE(pidfd, 0);
      request.writeInt16LE(POLLIN, 4);
      return poll(request, 1, 0) === 0;
    },
    close: closeSync,
  };
}

export type Kernel = ReturnType<typeof openKernel>;
