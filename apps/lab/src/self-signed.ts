import { generate } from 'selfsigned'

/** A key and its certificate, as PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

/** A certificate for localhost that nobody vouches for. */
export async function selfSigned(): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }])
  return { key: made.private, cert: made.cert }
}
