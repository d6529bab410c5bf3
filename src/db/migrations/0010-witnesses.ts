/**
 * What the log's witnesses have seen and signed. Nothing of it follows from the log, and all of it may be lost: the
 * witnesses are asked again. What is signed here is judged anew whenever it is read.
 */
export const sql = `
-- By verifier key: what a witness was last known to have cosigned, and what it last did instead.
create table witnesses (
  key text primary key,
  size bigint not null check (size >= 0),
  cosigned_at bigint,
  trouble text,
  troubled_at bigint,
  contradiction text
);

-- Checkpoints with the cosignatures got so far: a few of the newest. What was published never goes back.
create table cosigned_checkpoints (
  size bigint primary key check (size > 0),
  checkpoint text not null,
  published boolean not null
);

-- One node at a time submits: whose turn it is, by the database's clock.
create table witness_lease (
  "only" boolean primary key default true check ("only"),
  holder uuid,
  until timestamptz not null
);
insert into witness_lease (until) values ('-infinity');
`;
