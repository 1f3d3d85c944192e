/** A slice of one query at one server. */
import { Connection, type Exchange, exchangeOnce, isRight, measure, statusOf } from '../load/client.ts'
import type { Peer } from './peer.ts'
import type { Query, QueryTraffic } from './queries.ts'
import type { Failure } from './report.ts'
import { detailOf } from './requests.ts'

/** At most this number of requests at the same time. A slow server gets fewer, so that a slice ends. */
const CONNECTIONS = 4

export interface Server {
  readonly peer: Peer
  readonly traffic: QueryTraffic
  /** This project's. */
  readonly isOwn: boolean
  /** True if a confirmed write survives the end of the process and of the machine. */
  readonly isDurable: boolean
}

export interface Outcome {
  readonly perSecond: number
  /** The number of wrong answers. */
  readonly wrong: number
  readonly error: Failure | undefined
}

/** Sends a query once, and then for some seconds if the answer was correct. */
export async function sliceOf({ peer, traffic }: Server, query: Query, seconds: number): Promise<Outcome> {
  try {
    for (const { request } of (await query.before?.(traffic)) ?? []) await exchangeOnce(peer.port, request)
    const first = query.next(traffic)
    const connection = await Connection.open(peer.port)
    const started = performance.now()
    const answer = await connection.exchange(first.request).finally(() => connection.close())
    const ms = performance.now() - started
    if (!isRight(answer, first)) return refused(wrongAnswer(answer, first))
    const connections = Math.max(1, Math.min(CONNECTIONS, Math.floor((seconds * 1_000) / ms)))
    const next = () => query.next(traffic)
    const {
      times,
      wrong,
      firstWrong,
      seconds: spent,
    } = await measure({ port: peer.port, connections, seconds, next })
    const error =
      firstWrong === undefined
        ? undefined
        : { kind: `${wrong} of ${wrong + times.length} wrong`, detail: firstWrong.slice(0, 1_000) }
    return { perSecond: times.length / spent, wrong, error }
  } catch (error) {
    return refused({ kind: error instanceof Error ? error.message : String(error) })
  }
}

function refused(error: Failure): Outcome {
  return { perSecond: Number.NaN, wrong: 1, error }
}

/** An answer with the expected status has wrong content. */
function wrongAnswer(answer: string, { status }: Exchange): Failure {
  const found = statusOf(answer)
  return [status].flat().includes(found)
    ? { kind: 'wrong answer' }
    : { kind: `refused, ${found}`, detail: detailOf(answer) }
}
