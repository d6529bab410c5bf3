import { type RawBuilder, sql } from "kysely";

/**
 * SQL: whether the attestation of a row named `attestation` comes from where a target of a revocation or a quarantine, as
 * JSON, says. As `isOf` of `custody/revocations.ts`, but for windows of time, which rows do not know.
 */
export function comesFrom(target: RawBuilder<unknown>) {
  return sql<boolean>`(
    ${target} ->> 'repository' = attestation.source_repository
    or ${target} ->> 'builder' = attestation.builder
    or ${target} #>> '{signer,identity}' = attestation.signer_identity
      and ${target} #>> '{signer,issuer}' = attestation.signer_issuer
    or ${target} #>> '{signer,key}' = attestation.signer_identity and attestation.signer_issuer is null
    or ${target} #>> '{signer,keyId}' = attestation.signer ->> 'keyId'
  )`;
}
