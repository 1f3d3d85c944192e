/**
 * Large answers that wait in memory for their clients. Each is sent in chunks, the next one when the previous one has
 * left. The waiting bytes are limited in total and for each tenant. A client that takes too long loses its
 * connection. Cloudflare does the same for a Worker.
 */
import type { UnreadAnswers } from '../runtime.ts'
import { ScimError } from '../scim/error.ts'
import {
  ANSWER_TIMEOUT_SECONDS,
  MAX_TENANT_UNREAD_ANSWER_BYTES,
  MAX_UNREAD_ANSWER_BYTES,
  MIN_ANSWER_BYTES_PER_SECOND,
} from '../scim/limits.ts'

/** How long a client may read nothing before it counts as gone. */
export const ANSWER_TIMEOUT_MS: number = ANSWER_TIMEOUT_SECONDS * 1000

/** The bytes that are copied to the socket at once. The rest can be released as soon as the last chunk was sent. */
const CHUNK_BYTES = 64 * 1024

export class MemoryOfAnswers implements UnreadAnswers {
  readonly #byTenant = new Map<string, number>()
  #bytes = 0

  /** The waiting bytes. */
  get bytes(): number {
    return this.#bytes
  }

  requireRoom(tenantId: string): void {
    this.#requireRoomFor(tenantId, 1)
  }

  hold(tenantId: string, text: string): ReadableStream<Uint8Array> {
    const bytes = new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>
    this.#requireRoomFor(tenantId, bytes.length)
    this.#add(tenantId, bytes.length)
    return inChunks(bytes, () => this.#add(tenantId, -bytes.length))
  }

  /** An answer that exceeds the total limit is accepted if no other answer waits. */
  #requireRoomFor(tenantId: string, bytes: number): void {
    const ofTenant = this.#byTenant.get(tenantId) ?? 0
    if (ofTenant > 0 && ofTenant + bytes > MAX_TENANT_UNREAD_ANSWER_BYTES) {
      throw tooMuchUnread('of this tenant', ofTenant, MAX_TENANT_UNREAD_ANSWER_BYTES)
    }
    if (this.#bytes > 0 && this.#bytes + bytes > MAX_UNREAD_ANSWER_BYTES) {
      throw tooMuchUnread('of this server', this.#bytes, MAX_UNREAD_ANSWER_BYTES)
    }
  }

  #add(tenantId: string, bytes: number): void {
    const ofTenant = (this.#byTenant.get(tenantId) ?? 0) + bytes
    this.#bytes += bytes
    if (ofTenant === 0) this.#byTenant.delete(tenantId)
    else this.#byTenant.set(tenantId, ofTenant)
  }
}

function tooMuchUnread(whose: string, bytes: number, limit: number): ScimError {
  return new ScimError(
    503,
    undefined,
    `${bytes} bytes of answers ${whose} wait for their clients to read them, and ${limit} may: read them, then try again`,
  )
}

/** @param release called once: when all of it was sent, when the client is gone, or after the timeout */
function inChunks(bytes: Uint8Array<ArrayBuffer>, release: () => void): ReadableStream<Uint8Array> {
  let rest: Uint8Array<ArrayBuffer> | undefined = bytes
  let timer: ReturnType<typeof setTimeout> | undefined
  const end = () => {
    if (rest === undefined) return
    rest = undefined
    clearTimeout(timer)
    release()
  }
  return new ReadableStream(
    {
      start(controller) {
        const seconds = ANSWER_TIMEOUT_SECONDS + bytes.length / MIN_ANSWER_BYTES_PER_SECOND
        timer = setTimeout(() => {
          end()
          controller.error(new Error(`the client did not read its answer within ${Math.ceil(seconds)} s`))
        }, seconds * 1000)
      },
      pull(controller) {
        if (rest === undefined) return
        controller.enqueue(rest.slice(0, CHUNK_BYTES))
        rest = rest.subarray(CHUNK_BYTES)
        if (rest.length > 0) return
        end()
        controller.close()
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  )
}
