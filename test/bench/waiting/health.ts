/** `/healthz` at fixed times, so that a long wait counts as often as requests would have waited. */
import { setTimeout } from 'node:timers/promises'
import { Connection, httpRequest, statusOf } from '../load/client.ts'
import { type Peer, servingMs } from '../peers/peer.ts'

const INTERVAL_MS = 10

/** How long a request waited. */
export interface Wait {
  /** From the time at which the request was due. */
  readonly ms: number
  /** The processor time that the thread which serves requests spent meanwhile: other processes hardly affect it. */
  readonly servingMs: number
}

export interface Health {
  readonly end: () => Promise<readonly Wait[]>
}

/** @throws {Error} at the end, if the server was not healthy */
export async function watchHealth(server: Peer): Promise<Health> {
  const request = httpRequest('GET', '/healthz', {})
  const idle: Connection[] = []
  const waits: Wait[] = []
  const asked: Promise<void>[] = []
  let isEnding = false
  const ask = async (due: number) => {
    // A request does not wait for the one before it.
    const servingBefore = servingMs(server)
    const connection = idle.pop() ?? (await Connection.open(server.port))
    const status = statusOf(await connection.exchange(request))
    waits.push({ ms: performance.now() - due, servingMs: servingMs(server) - servingBefore })
    idle.push(connection)
    if (status !== 200) throw new Error(`/healthz: ${status}`)
  }
  const run = async () => {
    for (let due = performance.now(); !isEnding; due += INTERVAL_MS) {
      await setTimeout(Math.max(0, due - performance.now()))
      asked.push(ask(due))
    }
  }
  const running = run()
  return {
    async end() {
      isEnding = true
      await running
      await Promise.all(asked)
      for (const connection of idle) connection.close()
      return waits
    },
  }
}
