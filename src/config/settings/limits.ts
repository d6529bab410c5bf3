import { setting } from "../setting.ts";
import { integer } from "../values.ts";

const MIB = 1024 * 1024;

/** How much of anything one node takes. Sizes in bytes. */
export const LIMITS = {
  maxBody: setting(
    "VOUCHSAFE_MAX_BODY",
    "limits.maxBody",
    integer(1024, 256 * MIB),
    String(16 * MIB),
    "bytes of one upload",
  ),
  callsPerMinute: setting(
    "VOUCHSAFE_RATE_LIMIT",
    "limits.callsPerMinute",
    integer(1, 1_000_000_000),
    "1000000",
    "calls of one caller in a minute, beyond which it is told to wait (429). The default is about half of what a node answers",
  ),
  callsPerMinutePerAddress: setting(
    "VOUCHSAFE_RATE_LIMIT_ADDRESS",
    "limits.callsPerMinutePerAddress",
    integer(1, 1_000_000_000),
    "60000",
    "calls of one address in a minute that come without a valid token",
  ),
  writesAtOnce: setting(
    "VOUCHSAFE_WRITES_AT_ONCE",
    "limits.writesAtOnce",
    integer(1, 4096),
    "256",
    "pushes, identities and other [writes](limits.md) of one caller that may be under way at once on a node",
  ),
  exportsAtOnce: setting(
    "VOUCHSAFE_EXPORTS_AT_ONCE",
    "limits.exportsAtOnce",
    integer(1, 64),
    "4",
    "custody files of one caller that may be on their way at once",
  ),
  simulationsAtOnce: setting(
    "VOUCHSAFE_SIMULATIONS_AT_ONCE",
    "limits.simulationsAtOnce",
    integer(1, 8),
    "2",
    "simulations, sweeps and refreshes of one caller that may be under way at once",
  ),
  connections: setting(
    "VOUCHSAFE_MAX_CONNECTIONS",
    "limits.connections",
    integer(1, 1_000_000),
    "10000",
    "connections that a node holds; further ones are closed at once",
  ),
  requestTimeout: setting(
    "VOUCHSAFE_REQUEST_TIMEOUT",
    "limits.requestTimeout",
    integer(1, 3600, 1000),
    "60",
    "seconds within which a request must have arrived, body and all (408); its headers within 15 of them",
  ),
  clientPatience: setting(
    "VOUCHSAFE_CLIENT_PATIENCE",
    "limits.clientPatience",
    integer(1, 3600, 1000),
    "120",
    "seconds after which a connection is cut on which nothing moves while a request or an answer is on its way, as of one who does not read an export; more than 30, or watches are cut too",
  ),
};
