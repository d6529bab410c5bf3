/** A certificate's serial number as openssl and browsers show it: in capitals, with colons. */
const SHOWN_SERIAL = /^[0-9A-F]{2}(?::?[0-9A-F]{2}){15}$/i;

/** An SVID as named on the command line: a serial number in any of its spellings, as the log has it, or a `jti` as it is. */
export function serialOfArgument(argument: string): string {
  return SHOWN_SERIAL.test(argument) ? argument.replaceAll(":", "").toLowerCase() : argument;
}
