/**
 * Cursors (RFC 9865): positions in a list. A cursor names the last resource of a page instead of an offset, so resources
 * that are created or deleted do not shift the pages. Of a long sort key it holds the beginning only, so it is short.
 *
 * A cursor is authenticated with a key of the client, so it is valid for all tokens of the client, and invalid for
 * another client, for another query, or if it was modified. A forged cursor would give no more than a position in a list
 * that the client may read.
 */
import { badRequest } from '../scim/error.ts'
import { CURSOR_TIMEOUT_SECONDS, MAX_CURSOR_CHARACTERS } from '../scim/limits.ts'
import type { KnownClient } from '../storage/access/known-tokens.ts'
import { fromBase64Url, isSameSecret, toBase64Url } from '../storage/access/secrets.ts'
import type { Position } from '../storage/lists/list-request.ts'

export interface Cursor {
  readonly position: Position
  readonly isBackwards: boolean
  /** The number of matches when the first page was read: to count them again for each page would read all of them. */
  readonly total?: number | undefined
}

/** `[seconds since 1970, backwards, key, id, total, version]` */
type Payload = readonly [number, 0 | 1, Position['key'], string, number | null, number | null]

/** The client that a cursor is made for or used by. */
export interface CursorOwner extends Pick<KnownClient, 'cursorKey'> {
  readonly tenantId: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** 128 bits: too many to guess within the lifetime of a cursor. */
const SEAL_BYTES = 16

/** A cursor as text of unreserved characters (RFC 9865 §2). @param identity of the query that the cursor belongs to */
export async function sealCursor(cursor: Cursor, identity: string, owner: CursorOwner): Promise<string> {
  const { position, isBackwards, total } = cursor
  const seconds = Math.floor(owner.now / 1000)
  const { key, id, version = null } = position
  const payload: Payload = [seconds, isBackwards ? 1 : 0, key, id, total ?? null, version]
  const text = toBase64Url(new TextEncoder().encode(JSON.stringify(payload)))
  return `${text}.${await seal(text, identity, owner)}`
}

/**
 * Opens a cursor.
 *
 * @throws {ScimError} invalidCursor unless it was issued for this query and this client; expiredCursor
 */
export async function openCursor(text: string, identity: string, owner: CursorOwner): Promise<Cursor> {
  const [payload = '', found = ''] = text.length > MAX_CURSOR_CHARACTERS ? [] : text.split('.')
  if (!isSameSecret(found, await seal(payload, identity, owner))) {
    throw badRequest('invalidCursor', 'the cursor is not one of this list; begin again with an empty cursor')
  }
  const [seconds, backwards, key, id, total, version] = JSON.parse(fromBase64Url(payload)) as Payload
  if (owner.now / 1000 - seconds > CURSOR_TIMEOUT_SECONDS) {
    throw badRequest(
      'expiredCursor',
      `a cursor is good for ${CURSOR_TIMEOUT_SECONDS} seconds; begin again with an empty one`,
    )
  }
  const position = { key, id, ...(version == null ? {} : { version }) }
  return { position, isBackwards: backwards === 1, total: total ?? undefined }
}

async function seal(
  payload: string,
  identity: string,
  { tenantId, cursorKey }: CursorOwner,
): Promise<string> {
  const sealed = await sealer(cursorKey)
  return await sealed(['cursor', tenantId, identity, payload])
}

/** @returns a function that seals messages with the key: a text of unreserved characters */
export async function sealer(secret: string): Promise<(message: readonly unknown[]) => Promise<string>> {
  const bytes = (text: string) => new TextEncoder().encode(text)
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', bytes(secret), algorithm, false, ['sign'])
  return async (message) => {
    const signature = await crypto.subtle.sign('HMAC', key, bytes(JSON.stringify(message)))
    return toBase64Url(new Uint8Array(signature).slice(0, SEAL_BYTES))
  }
}
