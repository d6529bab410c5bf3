/** What to do next, by the code of a refusal that more evidence of the same signer, or from the same place, would meet too. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ["malformed-json", "What is no JSON was cut off, or is no evidence: fetch it anew, or ask who made it."],
  [
    "unknown-key",
    "`vouchsafe trust show` lists the keys that are believed. Where the signer's public key is from somebody you believe, an operator adds it: `vouchsafe trust import KEY.pem`.",
  ],
  [
    "certificate-invalid",
    "`vouchsafe trust show` lists the instances that are believed. Where another one is to be, an operator adds its roots: `vouchsafe trust import trusted_root.json`.",
  ],
]);

/** For each of these codes once. */
export function pushAdvice(codes: readonly string[]): readonly string[] {
  return [...new Set(codes)].flatMap((code) => ADVICE.get(code) ?? []);
}
