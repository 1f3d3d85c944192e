/** The request of a delivery. The runtimes send it in their own ways. */
import { MAX_WEBHOOK_ANSWER_BYTES, WEBHOOK_TIMEOUT_SECONDS } from '../../scim/limits.ts'

export interface WebhookPost {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface WebhookAnswer {
  readonly status: number
  /** The value of the header. */
  readonly retryAfter: string | null
}

/**
 * Sends a request within WEBHOOK_TIMEOUT_SECONDS. Redirects are not followed, and at most MAX_WEBHOOK_ANSWER_BYTES of the
 * answer are read.
 *
 * @throws {NoAnswer}
 */
export type PostWebhook = (post: WebhookPost) => Promise<WebhookAnswer>

/** There was no answer. The message is shown to administrators, and names neither the URL nor an address. */
export class NoAnswer extends Error {}

export function timedOut(options?: ErrorOptions): NoAnswer {
  return new NoAnswer(`no answer within ${WEBHOOK_TIMEOUT_SECONDS} seconds`, options)
}

/** Sends with `fetch`, for a runtime whose network reaches public addresses only. */
export function postByFetch(send: typeof fetch): PostWebhook {
  return async ({ url, headers, body }) => {
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(), WEBHOOK_TIMEOUT_SECONDS * 1000)
    const { signal } = abort
    try {
      const response = await send(url, { method: 'POST', headers, body, redirect: 'manual', signal }).catch(
        (cause) => {
          throw signal.aborted ? timedOut({ cause }) : new NoAnswer('the connection failed', { cause })
        },
      )
      await discard(response.body)
      return { status: response.status, retryAfter: response.headers.get('Retry-After') }
    } finally {
      // A timer that is left keeps a Durable Object in memory, at its full price.
      // https://developers.cloudflare.com/durable-objects/concepts/durable-object-lifecycle/
      clearTimeout(timer)
    }
  }
}

/** Reads a small body to its end, so that the connection can be used again, and cancels a large one. */
async function discard(body: ReadableStream<Uint8Array> | null): Promise<void> {
  const reader = body?.getReader()
  let left = MAX_WEBHOOK_ANSWER_BYTES
  try {
    for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
      left -= part.value.length
      if (left < 0) break
    }
    await reader?.cancel()
  } catch {
    // The status is known, and nothing else of the answer matters.
  }
}
