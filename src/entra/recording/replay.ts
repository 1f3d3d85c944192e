/**
 * Sends a recorded sequence of requests to another endpoint, one after the other, and compares the answers. The ids of
 * the recording are replaced by those of the endpoint. Requests go through an injected fetch.
 */
import type { Clock } from '../clock.ts'
import { type Answered, exchange, type Fetch, waitBeforeRetry } from '../protocol/fetch.ts'
import { requestUrl, type TenantUrl } from '../protocol/tenant-url.ts'
import { redact, type TokenSource } from '../protocol/token-source.ts'
import { compareAnswers, parse, type ValueDifference } from './compare-answers.ts'
import { IdMap } from './id-map.ts'
import type { ScimExchange } from './scim-path.ts'

export interface ReplayOptions {
  readonly exchanges: readonly ScimExchange[]
  readonly tenantUrl: TenantUrl
  readonly tokens: TokenSource
  readonly fetch: Fetch
  readonly clock: Clock
  readonly signal?: AbortSignal
  readonly onStep?: (step: ReplayStep) => void
}

export interface ReplayStep {
  /** The position in the cassette, from 1. */
  readonly number: number
  readonly method: string
  /** As it was sent. */
  readonly path: string
  /** Absent if nothing was sent. */
  readonly status?: number
  readonly differences: readonly ValueDifference[]
  /** Why nothing was sent, or why nothing could be compared. */
  readonly skipped?: string
}

/** After as many requests without an answer, the endpoint counts as gone. */
const MAX_WITHOUT_ANSWER = 3

/** @returns a step for each exchange; fewer if the endpoint is gone or the signal aborts */
export async function replay(options: ReplayOptions): Promise<ReplayStep[]> {
  const ids = new IdMap()
  const steps: ReplayStep[] = []
  let withoutAnswer = 0
  for (const [index, recorded] of options.exchanges.entries()) {
    if (options.signal?.aborted || withoutAnswer >= MAX_WITHOUT_ANSWER) break
    const step = await replayOne(options, recorded, index + 1, ids)
    withoutAnswer = step.skipped === undefined && step.status === undefined ? withoutAnswer + 1 : 0
    steps.push(step)
    options.onStep?.(step)
  }
  return steps
}

async function replayOne(
  options: ReplayOptions,
  recorded: ScimExchange,
  number: number,
  ids: IdMap,
): Promise<ReplayStep> {
  const { method } = recorded
  const path = ids.inText(recorded.path)
  const shown = { number, method, path, differences: [] }
  const unknown = unknownId(recorded, ids)
  if (unknown !== undefined)
    return { ...shown, skipped: `the id "${unknown}" is not known from an earlier answer` }
  if (recorded.status === 0) return { ...shown, skipped: 'the recording has no answer' }
  const { answer } = await send(options, recorded, path, ids)
  if (answer.kind === 'none')
    return { ...shown, differences: [{ path: 'status', recorded: recorded.status, actual: answer.message }] }
  const before = { status: recorded.status, text: recorded.responseBody ?? '' }
  ids.learn(parse(before.text), parse(answer.text))
  return { ...shown, status: answer.status, differences: compareAnswers(recorded, before, answer, ids) }
}

/** An id in the path that no answer has had, in a request that succeeded when it was recorded. */
function unknownId({ path, status }: ScimExchange, ids: IdMap): string | undefined {
  const id = /^\/(?:Users|Groups)\/([^/?.]+)/.exec(path)?.[1]
  if (id === undefined || status >= 400) return undefined
  return ids.get(decodeURIComponent(id)) === undefined ? decodeURIComponent(id) : undefined
}

/** Repeats the request after 429, unless the recording has 429. */
async function send(
  { tenantUrl, tokens, fetch, clock, signal }: ReplayOptions,
  recorded: ScimExchange,
  path: string,
  ids: IdMap,
): Promise<Answered> {
  const body = recorded.requestBody === undefined ? undefined : bodyOf(recorded.requestBody, ids)
  for (let attempt = 1; ; attempt++) {
    const access = await tokens.token(signal)
    if (!access.ok)
      return { answer: { kind: 'none', reason: 'network', message: access.detail }, retryAfter: null }
    const answered = await exchange(fetch, requestUrl(tenantUrl, path), {
      method: recorded.method,
      headers: headersOf(recorded, access.token),
      ...(body === undefined ? {} : { body }),
    })
    const { answer, retryAfter } = answered
    if (answer.kind === 'answer') {
      const isThrottled = answer.status === 429 && recorded.status !== 429
      const waitMs = isThrottled ? waitBeforeRetry(retryAfter, attempt, clock.now()) : undefined
      if (waitMs === undefined)
        return { ...answered, answer: { ...answer, text: redact(answer.text, [access.token]) } }
      await clock.sleep(waitMs, signal)
      if (!signal?.aborted) continue
    }
    return answered
  }
}

function headersOf({ requestHeaders, requestBody }: ScimExchange, token: string): Record<string, string> {
  const contentType = requestHeaders['content-type']
  const authorization = { Authorization: `Bearer ${token}` }
  if (requestBody === undefined || contentType === undefined) return authorization
  return { ...authorization, 'Content-Type': contentType }
}

/** A body that is not JSON is sent as it was recorded. */
function bodyOf(text: string, ids: IdMap): string {
  const body = parse(text)
  return body === undefined ? text : JSON.stringify(ids.inBody(body))
}
