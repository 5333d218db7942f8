import { rawConnect, type RawConnection } from '@hopwise/testkit/adapter'
import type { Protocol } from './messages.js'

/** What came of a case, beside how long the stop took. */
interface CaseOutcome {
  /** In a few words. */
  readonly outcome: string
  /** Whether that is right; the stop has to be within the deadline besides. */
  readonly right: boolean
}

/** What a case works with: a server in a process of its own, not yet told to stop. */
export interface CaseTools {
  readonly port: number
  connect(): Promise<RawConnection>
  /** Resolves with the next handler that begins. */
  began(): Promise<void>
  /** Sends SIGTERM. */
  stop(): void
  /** Has the server block its event loop for so long, and stop in the turn after. Resolves when it is blocked. */
  blockThenStop(milliseconds: number): Promise<void>
}

/** One connection in one state at the moment of the stop. */
export interface Case {
  /** `T1` to `T13`. */
  readonly name: string
  /** The state, and which outcome is right. */
  readonly about: string
  readonly protocol: Protocol
  run(tools: CaseTools): Promise<CaseOutcome>
}

/** What is waited for an answer that may never come. */
const patienceMs = 5_000

/** The tools, and an end to every connection that they opened. */
export function caseTools(server: Omit<CaseTools, 'connect'>): CaseTools & { close(): void } {
  const opened: RawConnection[] = []
  return {
    ...server,
    connect: async () => {
      const connection = await rawConnect(server.port)
      opened.push(connection)
      return connection
    },
    close: () => {
      for (const connection of opened) connection.destroy()
    },
  }
}

/** An answer: its body and what it says of its connection; or `lost`, or `silence`. */
export interface Answer {
  readonly body: string
  readonly connection: string
}

/** Waits for the next answer on a connection. */
export async function answerOn(connection: RawConnection): Promise<Answer> {
  const answer = connection.response().then(
    (response) => ({ body: response.body.toString(), connection: response.field('connection') ?? 'none' }),
    (error: unknown) => ({ body: `lost (${/\((end|reset)\)/.exec(String(error))?.[1] ?? 'error'})`, connection: 'none' }),
  )
  return orSilence(answer, { body: 'silence', connection: 'none' })
}

/** `work`, or `silent` where it takes too long. */
export async function orSilence<T>(work: Promise<T>, silent: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(silent), patienceMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
