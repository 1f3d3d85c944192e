/**
 * Cursors of the event feed: positions that a reader keeps for as long as events are. They belong to the tenant and not to
 * a client, so that a reader can change its credential, and so that a cursor in a webhook is also one of the feed.
 *
 * A cursor is sealed with a key of the tenant, so that it cannot be mistaken for one of another tenant, or of a tenant of
 * the same name that was deleted. It tells nothing that the events themselves do not tell.
 */
import { MAX_CURSOR_CHARACTERS } from '../../scim/limits.ts'
import { fromBase64Url, isSameSecret, toBase64Url } from '../../storage/access/secrets.ts'
import type { FeedPosition } from '../../storage/events/feed.ts'
import { sealer } from '../cursor.ts'

/** A cursor whose seal is not checked yet: its key is read together with the page. */
export interface UnsealedCursor {
  readonly position: FeedPosition
  readonly payload: string
  readonly seal: string
}

/** @returns undefined if the text does not have the form of a cursor */
export function parseFeedCursor(text: string): UnsealedCursor | undefined {
  if (text.length > MAX_CURSOR_CHARACTERS) return undefined
  const [, payload = '', seal = ''] = /^([\w-]+)\.([\w-]+)$/.exec(text) ?? []
  const [, seq, time] = /^(\d{1,15})\.(\d{1,15})$/.exec(decoded(payload)) ?? []
  if (seq === undefined || time === undefined) return undefined
  return { position: { seq: Number(seq), time: Number(time) }, payload, seal }
}

function decoded(payload: string): string {
  try {
    return fromBase64Url(payload)
  } catch {
    return ''
  }
}

/** The cursors of one stream. */
export interface FeedCursors {
  seal(position: FeedPosition): Promise<string>
  isSealed(cursor: UnsealedCursor): Promise<boolean>
}

/** @param key of the tenant */
export async function feedCursors(key: string, tenantId: string): Promise<FeedCursors> {
  const sealOf = await sealer(key)
  const sealed = (payload: string) => sealOf(['events', tenantId, payload])
  return {
    async seal({ seq, time }) {
      const payload = toBase64Url(new TextEncoder().encode(`${seq}.${time}`))
      return `${payload}.${await sealed(payload)}`
    },
    isSealed: async ({ payload, seal }) => isSameSecret(seal, await sealed(payload)),
  }
}
