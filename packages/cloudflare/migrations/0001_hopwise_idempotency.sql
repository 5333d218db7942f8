CREATE TABLE IF NOT EXISTS "hopwise_idempotency" (
  key TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  fence INTEGER NOT NULL,
  owner TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  status INTEGER,
  fields TEXT,
  request_id TEXT,
  body BLOB,
  phases TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS "hopwise_idempotency_expires_at" ON "hopwise_idempotency" (expires_at);
