/** Compares the table of words, which triggers keep, with the texts in the documents of users and groups. */
import { env } from 'cloudflare:workers'

const SEPARATOR = /["\\.\-_,;:/|()[\]{}<>+&='’·・–—\t\n\r\u00a0\u3000 ]/

/** The words of a tenant that are stored and should not be, or that should be and are not, each as "type word id". */
export async function differingWords(
  tenantId: string,
  database: D1Database = env.DB,
): Promise<readonly string[]> {
  const [stored, users, groups] = await database.batch<Record<string, string>>([
    database
      .prepare('SELECT resource_type, word, resource_id FROM search_words WHERE tenant_id = ?1')
      .bind(tenantId),
    database.prepare('SELECT id, keys FROM users WHERE tenant_id = ?1').bind(tenantId),
    database.prepare('SELECT id, keys FROM groups WHERE tenant_id = ?1').bind(tenantId),
  ])
  const rows = new Set(stored?.results.map((row) => `${row.resource_type} ${row.word} ${row.resource_id}`))
  const wanted = new Set([
    ...(users?.results ?? []).flatMap(({ id, keys }) =>
      wordsIn(keys, userWords).map((word) => `User ${word} ${id}`),
    ),
    ...(groups?.results ?? []).flatMap(({ id, keys }) =>
      wordsIn(keys, ({ displayName }) => wordsOf([displayName], [displayName])).map(
        (word) => `Group ${word} ${id}`,
      ),
    ),
  ])
  return [...wanted].filter((row) => !rows.has(row)).concat([...rows].filter((row) => !wanted.has(row)))
}

interface Keys {
  readonly displayName?: string
  readonly userName?: string
  readonly name?: {
    readonly givenName?: string
    readonly familyName?: string
    readonly middleName?: string
    readonly formatted?: string
  }
  readonly emails?: readonly { readonly value?: string }[]
  readonly words?: readonly string[]
}

/** An earlier version stores a document without words: then the only word is the empty one. */
function wordsIn(json: string | undefined, of: (keys: Keys) => readonly string[]): readonly string[] {
  const keys = JSON.parse(String(json)) as Keys
  return keys.words === undefined ? [''] : of(keys)
}

function userWords({ displayName, userName, name = {}, emails = [] }: Keys): readonly string[] {
  const addresses = emails.slice(0, 4).map(({ value }) => value)
  const indexed = [displayName, userName, name.givenName, name.familyName, ...addresses]
  return wordsOf([...indexed, name.middleName, name.formatted], indexed)
}

/** The first 32 words of the texts with which none of the indexed ones begins. */
function wordsOf(
  texts: readonly (string | undefined)[],
  indexed: readonly (string | undefined)[],
): readonly string[] {
  const words = texts.flatMap((text) => (text === undefined ? [] : stored(text)))
  const others = words.filter((word) => !indexed.some((text) => text?.startsWith(word)))
  return [...new Set(others)].slice(0, 32)
}

function stored(text: string): readonly string[] {
  const at = text.indexOf('@')
  const [local, domain] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
  // Separators at the beginning count as a word.
  return [domain.trim(), ...local.split(SEPARATOR).filter((word, i) => word !== '' || i === 0)]
    .slice(0, 12)
    .filter((word) => word !== '')
    .map((word) => [...word].slice(0, 64).join(''))
}
