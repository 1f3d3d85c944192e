/** Queries that read every user, sent one after the other while something else is measured. */
import { Connection, statusOf } from '../load/client.ts'

export interface Scan {
  readonly name: string
  readonly path: string
}

const scanOf = (filter: string): Scan => ({
  name: `\`${filter}\``,
  path: `/Users?${new URLSearchParams({ filter, count: '1' })}`,
})

/** A filter that no index answers, which large directories refuse, and one that an index answers with all users. */
export const SCANS: readonly Scan[] = [scanOf('title co "zzz"'), scanOf('userName sw "person"')]

export interface Ended {
  readonly perSecond: number
  /** Of the first answer: 400 if the query is refused because it would take too long. */
  readonly status: number
}

export interface Loop {
  /** Ends after the answer that is awaited. */
  readonly end: () => Promise<Ended>
}

/** Sends a request again and again on a connection, and resolves at the first answer. */
export async function inLoop(port: number, request: string): Promise<Loop> {
  const connection = await Connection.open(port)
  const first = await connection.exchange(request)
  const started = performance.now()
  let [count, isEnding] = [0, false]
  const running = (async () => {
    for (; !isEnding; count++) await connection.exchange(request)
  })()
  return {
    async end() {
      isEnding = true
      await running.finally(() => connection.close())
      return { perSecond: (count * 1_000) / (performance.now() - started), status: statusOf(first) }
    },
  }
}
