/**
 * `npm run bench -- search`: what the dashboard's search costs. Three SQLite files with the same users take turns at writes:
 * without words, with the table `search_words`, and with an FTS5 table of trigrams instead, which was considered. Then
 * searches in the file with words, and the same as MATCH in the file with trigrams.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import type { OpenFile } from '../../src/sqlite/open.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { readTogether } from '../../src/storage/database/query.ts'
import { searchQuery } from '../../src/storage/search/directory-search.ts'
import { RESOURCE_TYPES, typeNamed } from '../../src/storage/tables/resource-tables.ts'
import { encodeResource } from '../../src/storage/tables/stored-resources.ts'
import { quantile } from './load/statistics.ts'
import { openMigrated, TENANT } from './local-tenant.ts'
import { wholeFrom } from './options.ts'
import { readOptions, runSection } from './section.ts'
import { figure, markdownTable } from './table.ts'

const USER_TYPE = typeNamed(RESOURCE_TYPES, 'User')
const VARIANTS = ['without words', 'words', 'trigrams'] as const
const WRITES = ['create', 'change of displayName', 'change of title'] as const
const SLICE = 50
const prepared = new WeakMap<DatabaseSync, Map<string, StatementSync>>()
const TEXTS = [
  'given12',
  'family777',
  'amily777',
  'family777 given7',
  'given12 family1',
  'domain.example',
  'nobody',
]

await runSection(main)

async function main(): Promise<number> {
  const values = readOptions('search')
  const users = wholeFrom(1_000, 'users', values.users)
  const rounds = wholeFrom(1, 'rounds', values.rounds)
  const folder = mkdtempSync(join(tmpdir(), 'bench-search-'))
  try {
    const files = VARIANTS.map((name) => filled(join(folder, `${name}.sqlite`), name, users))
    const writes = measureWrites(files, users, rounds)
    const searches = []
    for (const text of TEXTS) searches.push(await measureSearch(files, text))
    for (const { file } of files) file.close()
    const sizes = VARIANTS.map((name) => statSync(join(folder, `${name}.sqlite`)).size / users)
    print(writes, sizes, searches)
    if (values.out !== undefined)
      writeFileSync(values.out, JSON.stringify({ users, writes, sizes, searches }))
    return 0
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface FilledFile {
  readonly file: OpenFile
  readonly database: DatabaseSync
}

function filled(path: string, variant: (typeof VARIANTS)[number], users: number): FilledFile {
  const file = openMigrated(path)
  const { database } = file
  if (variant !== 'words') withoutWords(database)
  if (variant === 'trigrams') withTrigrams(database)
  database.exec(`INSERT INTO tenants (id, name, created_at) VALUES ('${TENANT}', 'Acme', 0)`)
  for (let from = 0; from < users; from += 1_000) {
    database.exec('BEGIN')
    for (let number = from; number < Math.min(from + 1_000, users); number++) insert(database, number)
    database.exec('COMMIT')
  }
  return { file, database }
}

function withoutWords(database: DatabaseSync): void {
  const names = database.prepare(
    `SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'users_words_%'`,
  )
  for (const { name } of names.all()) database.exec(`DROP TRIGGER ${name}`)
}

/** The searched values of all tenants in one index, which knows no tenants: those of others are passed over. */
function withTrigrams(database: DatabaseSync): void {
  const text = (row: string) =>
    `concat_ws(' ', ${row}.display_name_key, ${row}.user_name_key, ${row}.external_id)`
  database.exec(`CREATE VIRTUAL TABLE trigrams USING fts5(text, content='', contentless_delete=1, tokenize='trigram');
    CREATE TRIGGER trigrams_inserted AFTER INSERT ON users BEGIN
      INSERT INTO trigrams (rowid, text) VALUES (NEW.rowid, ${text('NEW')}); END;
    CREATE TRIGGER trigrams_updated AFTER UPDATE OF keys ON users WHEN ${text('OLD')} IS NOT ${text('NEW')} BEGIN
      DELETE FROM trigrams WHERE rowid = OLD.rowid;
      INSERT INTO trigrams (rowid, text) VALUES (NEW.rowid, ${text('NEW')}); END`)
}

/** Runs a statement that is prepared once. */
function run(database: DatabaseSync, sql: string, ...values: readonly string[]): void {
  const statements = prepared.get(database) ?? new Map<string, StatementSync>()
  const statement = statements.get(sql) ?? database.prepare(sql)
  prepared.set(database, statements.set(sql, statement))
  statement.run(...values)
}

function insert(database: DatabaseSync, number: number): void {
  const { data, keys } = encodeResource(userOf(number), USER_TYPE)
  const sql = `INSERT INTO users (tenant_id, id, data, keys, version, created_at, last_modified) VALUES (?, ?, ?, ?, 1, 0, 0)`
  run(database, sql, TENANT, idOf(number), data, keys)
}

function idOf(number: number): string {
  return `00000001-0000-7000-8000-${String(number).padStart(12, '0')}`
}

/** A user as Entra sends one: 200 given names, 10,000 family names, one domain. */
function userOf(number: number, more: Readonly<Record<string, string>> = {}) {
  const [givenName, familyName] = [`given${number % 200}`, `family${(number * 7_919) % 10_000}`]
  const userName = `${givenName}.${familyName}.${number}@domain.example`
  return {
    externalId: `external-${number}`,
    userName,
    name: { givenName, familyName },
    displayName: `${givenName} ${familyName}`,
    emails: [{ value: userName, type: 'work', primary: true }],
    ...more,
  }
}

/** The medians in milliseconds of each write in each file. */
function measureWrites(files: readonly FilledFile[], users: number, rounds: number) {
  const first = { create: users, 'change of displayName': 0, 'change of title': Math.floor(users / 2) }
  const times = new Map<string, number[]>()
  const rows = new Map<string, number>()
  for (let round = 0; round < rounds; round++) {
    for (const [i, { database }] of files.entries()) {
      for (const write of WRITES) {
        for (let n = 0; n < SLICE; n++) {
          const number = first[write] + round * SLICE + n
          const before = totalChanges(database)
          const started = performance.now()
          if (write === 'create') insert(database, number)
          else change(database, number, write)
          const key = `${write} ${VARIANTS[i]}`
          times.set(key, [...(times.get(key) ?? []), performance.now() - started])
          rows.set(key, (rows.get(key) ?? 0) + totalChanges(database) - before)
        }
      }
    }
  }
  return WRITES.map((write) => ({
    write,
    ms: VARIANTS.map((variant) => quantile(times.get(`${write} ${variant}`) ?? [], 0.5)),
    rows: VARIANTS.map((variant) => (rows.get(`${write} ${variant}`) ?? 0) / (rounds * SLICE)),
  }))
}

/** The rows that were changed so far, those of triggers and of the tables behind FTS5 included. */
function totalChanges(database: DatabaseSync): number {
  return Number(database.prepare('SELECT total_changes() AS n').get()?.n)
}

function change(database: DatabaseSync, number: number, write: (typeof WRITES)[number]): void {
  const more = write === 'change of title' ? { title: `t${number}` } : { displayName: `other${number} name` }
  const { data, keys } = encodeResource(userOf(number, more), USER_TYPE)
  const sql = 'UPDATE users SET data = ?, keys = ? WHERE tenant_id = ? AND id = ?'
  run(database, sql, data, keys, TENANT, idOf(number))
}

async function measureSearch([, words, trigrams]: readonly FilledFile[], text: string) {
  const query = searchQuery({ type: USER_TYPE, tenantId: TENANT, text })
  if (query === undefined || words === undefined || trigrams === undefined) throw new Error('no query')
  const db = openDatabase(new SqliteD1(words.database).binding, noFigures())
  const match = trigrams.database.prepare(
    `SELECT users.id FROM trigrams CROSS JOIN users ON users.rowid = trigrams.rowid
     WHERE trigrams MATCH ? AND tenant_id = ? LIMIT 26`,
  )
  const quoted = text
    .split(' ')
    .map((word) => `"${word}"`)
    .join(' ')
  const [wordTimes, matchTimes]: [number[], number[]] = [[], []]
  let [found, matched] = [0, 0]
  for (let n = 0; n < 9; n++) {
    let started = performance.now()
    found = (await readTogether(db, { query })).query.items.length
    wordTimes.push(performance.now() - started)
    started = performance.now()
    matched = match.all(quoted, TENANT).length
    matchTimes.push(performance.now() - started)
  }
  return { text, found, wordsMs: quantile(wordTimes, 0.5), matched, matchMs: quantile(matchTimes, 0.5) }
}

function print(
  writes: ReturnType<typeof measureWrites>,
  sizes: readonly number[],
  searches: readonly Awaited<ReturnType<typeof measureSearch>>[],
): void {
  console.log(
    markdownTable(
      ['', ...VARIANTS],
      [
        ...writes.map(({ write, ms }) => [`${write}, ms`, ...ms.map(figure)]),
        ...writes.map(({ write, rows }) => [`${write}, changed rows`, ...rows.map(figure)]),
        ['bytes of a user', ...sizes.map(figure)],
      ],
    ),
  )
  console.log(
    markdownTable(
      ['text', 'found', 'ms', 'found by trigrams', 'ms'],
      searches.map(({ text, found, wordsMs, matched, matchMs }) => [
        text,
        String(found),
        figure(wordsMs),
        String(matched),
        figure(matchMs),
      ]),
    ),
  )
}
