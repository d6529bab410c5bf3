import type { Digest, JsonObject } from "../../in-toto-attestation/index.ts";
import { keepOf } from "../../policy/retention.ts";
import { digestIn, textIn, timeIn } from "../body-fields.ts";
import type { LogEvent } from "../events.ts";
import { refuseUnless } from "../pack/report.ts";
import { policiesInForce, sameJson } from "./replay.ts";
import type { Standing } from "./standing.ts";

export function replayHold({ about, body }: LogEvent, { keeping }: Standing): string {
  const id = textIn(body, "id");
  const artifact = aboutItsArtifact(about, body);
  refuseUnless(!keeping.holds.has(id), "a hold of this id stands");
  return `the evidence about ${artifact} was held: ${textIn(body, "reason")} (${id}).`;
}

export function replayHoldRelease({ about, body }: LogEvent, { keeping }: Standing): string {
  const id = textIn(body, "id");
  refuseUnless(keeping.holds.get(id) === aboutItsArtifact(about, body), "no such hold stood");
  return `the hold ${id} was released: ${textIn(body, "reason")}.`;
}

export function replayRetentionClass({ about, body }: LogEvent, standing: Standing): string {
  const artifact = aboutItsArtifact(about, body);
  const name = textIn(body, "class");
  const { retention } = policiesInForce(standing);
  refuseUnless(retention?.spec.classes.has(name) === true, `no policy in force has the class ${name}`);
  return `${artifact} was assigned to the retention class ${name}: ${textIn(body, "reason")}.`;
}

/**
 * That the bytes were not taken early: no hold that is known here covered them, and the class in force had run out for each artifact
 * that is known here and that they were about. What other artifacts kept them for is for those to say.
 */
export function replayExpiry(event: LogEvent, standing: Standing): string {
  const { body, about, time } = event;
  const { accepted, artifact, keeping } = standing;
  const id = digestIn(body, "attestation");
  const known = [...accepted].flatMap(([digest, all]) =>
    all.filter((one) => one.id === id).map((one) => ({ digest, one })),
  );
  refuseUnless(known.length > 0, "no evidence of that id counted");
  refuseUnless(
    known.every(({ digest }) => about.includes(digest)),
    "it stands in other chains than its evidence",
  );

  const isGround = about.some((key) => key !== "*" && keeping.grounds.has(key));
  const holding = [...keeping.holds].find(
    ([, held]) => about.includes(held) || (held === artifact && isGround),
  );
  refuseUnless(holding === undefined, `the hold ${holding?.[0]} covered it`);

  const { retention } = policiesInForce(standing);
  const [acceptedAt, keptUntil] = [timeIn(body, "acceptedAt"), timeIn(body, "keptUntil")];
  refuseUnless(
    known.every(({ one }) => one.verifiedAt === acceptedAt),
    "it was accepted at another time",
  );
  refuseUnless(
    retention?.spec.classes.has(textIn(body, "class")) === true,
    "no policy in force has its class",
  );
  refuseUnless(keptUntil <= time, "it was to be kept for longer");
  for (const { digest } of known) {
    const keep = keepOf(retention.spec, keeping.classes.get(digest));
    refuseUnless(acceptedAt + keep <= keptUntil, `what is about ${digest} was to be kept for longer`);
  }
  return `retention deleted the bytes of attestation ${id}, which counts no longer.`;
}

function aboutItsArtifact(about: LogEvent["about"], body: JsonObject): Digest {
  const artifact = digestIn(body, "artifact");
  refuseUnless(sameJson([...about], [artifact]), "it is about another artifact");
  return artifact;
}
