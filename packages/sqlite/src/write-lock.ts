import type { Connection, ConnectionPool } from './connection-pool.js'
import { isBusy, type SqliteConnection } from './database.js'

/** Another process's COMMIT is seen by asking again: at first after about 1 ms, later after about 5. */
const longestPause = 5

/**
 * After so many milliseconds this process lets the lock rest for one pause, in which another process that waits gets it.
 * Without that, a queue here would hand the lock on in less time than another process can notice.
 */
const longestStreak = 100

/**
 * SQLite's one write lock, waited for without blocking the event loop: first come, first served within this process.
 * Between processes whoever asks at the right moment has it.
 */
export class WriteLock<D extends SqliteConnection> {
  readonly #pool: ConnectionPool<D>
  #queue: Waiter[] = []
  #restsUntil = 0

  constructor(pool: ConnectionPool<D>) {
    this.#pool = pool
  }

  /**
   * A connection in a transaction that holds the lock, to be given to {@link WriteLock.end}; `undefined` where none was
   * had within `patience` milliseconds.
   * @throws whatever opening a connection or BEGIN throws, unless it is that the lock is held
   */
  async begin(patience: number): Promise<Connection<D> | undefined> {
    const until = performance.now() + patience
    const waiter = new Waiter()
    this.#queue.push(waiter)
    try {
      for (let attempt = 0; !waiter.isSentAway; attempt++) {
        const isFirst = this.#queue[0] === waiter
        const time = performance.now()
        const [left, rest] = [until - time, this.#restsUntil - time]
        // Whoever cannot outwait the rest tries at once.
        const connection = isFirst && (rest <= 0 || rest >= left) ? this.#tryToBegin() : undefined
        if (connection !== undefined) return connection
        if (left <= 0) return undefined
        await waiter.pause(isFirst ? Math.min(left, Math.max(rest, pauseAfter(attempt))) : left)
      }
      return undefined
    } finally {
      this.#queue = this.#queue.filter((each) => each !== waiter)
      this.#queue[0]?.wake()
    }
  }

  /** Takes a connection back; what was not committed is taken back as well. */
  end(connection: Connection<D>): void {
    this.#pool.giveBack(connection)
    const time = performance.now()
    if (time >= this.#restsUntil + longestStreak) this.#restsUntil = time + longestPause
    this.#queue[0]?.wake()
  }

  /** Lets nobody wait any longer. */
  sendAway(): void {
    for (const waiter of this.#queue) {
      waiter.isSentAway = true
      waiter.wake()
    }
  }

  #tryToBegin(): Connection<D> | undefined {
    const connection = this.#pool.take()
    if (connection === undefined) return undefined
    try {
      connection.database.exec('BEGIN IMMEDIATE')
      return connection
    } catch (error) {
      this.#pool.giveBack(connection)
      if (isBusy(error)) return undefined
      throw error
    }
  }
}

/** One claim that waits. */
class Waiter {
  isSentAway = false
  #wake = (): void => {}

  /** Resolves after `time` milliseconds, or when it is woken. */
  pause(time: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, time)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  wake(): void {
    this.#wake()
  }
}

/** With jitter, so that processes that were refused together do not ask together again. */
function pauseAfter(attempt: number): number {
  return Math.min(longestPause, 2 ** attempt) * (0.5 + Math.random() / 2)
}
