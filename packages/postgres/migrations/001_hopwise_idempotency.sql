CREATE TABLE IF NOT EXISTS "public"."hopwise_idempotency" (
  key text COLLATE "C" NOT NULL PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('pending', 'released', 'done')),
  fence bigint NOT NULL,
  owner text NOT NULL,
  fingerprint text NOT NULL,
  lease_until timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  phases jsonb,
  status integer,
  fields text,
  request_id text,
  body bytea
);
CREATE INDEX IF NOT EXISTS "hopwise_idempotency_expires_at" ON "public"."hopwise_idempotency" (expires_at);
