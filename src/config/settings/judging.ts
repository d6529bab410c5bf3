import { optional, setting } from "../setting.ts";
import { httpUrl, list, oneOf, text } from "../values.ts";

/** What is believed, and by which policies it is judged. */
export const JUDGING = {
  policiesDir: setting(
    "VOUCHSAFE_POLICIES",
    "policies.directory",
    text,
    "policies",
    "directory of policies that the first start activates, and that is [read again](operations.md#the-policy-directory-read-again). In the container image the default is `/app/policies`; put yours elsewhere, because the shipped builders stand in that one",
  ),
  policiesReload: setting(
    "VOUCHSAFE_POLICIES_RELOAD",
    "policies.reload",
    oneOf("signal", "watch"),
    "signal",
    "when it is read again: on SIGHUP (`signal`), or also whenever it has changed (`watch`)",
  ),
  trustFile: optional(
    "VOUCHSAFE_TRUST",
    "trust.file",
    text,
    "none",
    "a whole [trust document](trust.md) that the first start activates, in place of one that is made of the next two",
  ),
  trustedRoots: optional(
    "VOUCHSAFE_TRUSTED_ROOT",
    "trust.trustedRoots",
    list(),
    "embedded public-good root",
    "comma-separated `trusted_root.json` files that the first start activates",
  ),
  keys: optional(
    "VOUCHSAFE_KEYS",
    "trust.keys",
    list(),
    "none",
    "comma-separated PEM public keys whose DSSE signatures are believed, each under its file's name without `.pem` (`release.pem`: `key: release` in a policy); likewise",
  ),
  tuf: setting(
    "VOUCHSAFE_TUF",
    "trust.tuf",
    oneOf("auto", "off"),
    "auto",
    "`auto` asks the TUF repositories of the active instances at start and every day; `off` asks only when an operator does",
  ),
  rekorUrl: optional(
    "VOUCHSAFE_REKOR_URL",
    "evidence.rekorUrl",
    httpUrl,
    "none",
    "a Rekor log (v1 API) to search for an uploaded envelope that has a certificate and nothing that says when it was signed; what is found is joined with it into a bundle, and believed if it verifies",
  ),
  secondOpinion: setting(
    "SECOND_OPINION",
    "evidence.secondOpinion",
    oneOf("off", "report", "require"),
    "off",
    "whether [@sigstore/verify](operations.md#a-second-opinion) is asked about evidence besides our own verifier: `off`, `report` or `require`",
  ),
};
