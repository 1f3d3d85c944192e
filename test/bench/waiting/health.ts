/** `/healthz` at fixed times, so that a long wait counts as often as requests would have waited. */
import { setTimeout } from 'node:timers/promises'
import { Connection, httpRequest, statusOf } from '../load/client.ts'
import { type Peer, servingMs } from '../peers/peer.ts'

const INTERVAL_MS = 10
/** How long a connection may be idle: Node.js closes it after 5 s. */
const MAX_IDLE_MS = 2_000

/** How long a request waited. */
export interface Wait {
  /** When the request was due, of `performance.now()`. */
  readonly due: number
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
  const idle: { readonly connection: Connection; readonly since: number }[] = []
  const waits: Wait[] = []
  const asked: Promise<void>[] = []
  let isEnding = false
  const ask = async (due: number) => {
    // A request does not wait for the one before it.
    const servingBefore = servingMs(server)
    while ((idle[0]?.since ?? due) < due - MAX_IDLE_MS) idle.shift()?.connection.close()
    const connection = idle.pop()?.connection ?? (await Connection.open(server.port))
    const status = statusOf(await connection.exchange(request))
    const answered = performance.now()
    waits.push({ due, ms: answered - due, servingMs: servingMs(server) - servingBefore })
    idle.push({ connection, since: answered })
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
      for (const { connection } of idle) connection.close()
      return waits
    },
  }
}
