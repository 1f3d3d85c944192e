/** Users with their groups, whose results are remembered: changes of groups that change no name. */
import { expect, it, onTestFinished } from 'vitest'
import { parseFilter } from '../../src/scim/filter/parser.ts'
import { resolveFilter } from '../../src/scim/filter/resolve.ts'
import { MAX_GROUP_NAME_BYTES, MAX_MEMBER_DOCUMENT_BYTES } from '../../src/scim/limits.ts'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import { migrate } from '../../src/sqlite/migrations.ts'
import { openFile } from '../../src/sqlite/open.ts'
import { RememberedResults } from '../../src/sqlite/remembered-results.ts'
import { noFigures, openDatabase } from '../../src/storage/database/database.ts'
import { plainListOf } from '../../src/storage/lists/list-plans.ts'
import { SOURCES_OF_USERS } from '../../src/storage/resources/memberships.ts'
import { RESOURCE_TYPES, typeNamed } from '../../src/storage/tables/resource-tables.ts'
import { TOLERANT } from '../support/reading.ts'
import { MIGRATIONS, OPTIONS, temporaryFolder } from './support/files.ts'

it('are read again if the names of large groups are left out because of another size of their documents', async () => {
  const { database, close } = openFile(`${temporaryFolder()}/file.sqlite`, OPTIONS)
  onTestFinished(close)
  migrate(database, MIGRATIONS)
  const added = 'tenant_id, id, data, keys, version, created_at, last_modified'
  const name = `{"displayName":"All","externalId":"${'x'.repeat(MAX_GROUP_NAME_BYTES)}"}`
  database.exec(`INSERT INTO users (${added}) VALUES ('default', 'u', '{"userName":"u"}', '{"userName":"u"}', 1, 0, 0);
    INSERT INTO groups (${added}) VALUES ('default', 'g', '${name}', '{"displayName":"all"}', 1, 0, 0);
    INSERT INTO memberships (tenant_id, group_id, member_id, member_type) VALUES ('default', 'g', 'u', 'User');
    UPDATE tenants SET group_pieces = ${(2 * MAX_MEMBER_DOCUMENT_BYTES) / 256} WHERE id = 'default'`)
  const remembered = new RememberedResults(database, SOURCES_OF_USERS)
  const db = openDatabase(new SqliteD1(database, undefined, remembered).binding, noFigures())
  const type = typeNamed(RESOURCE_TYPES, 'User')
  const filter = resolveFilter(parseFilter('userName eq "u"', TOLERANT), type, TOLERANT)
  const part = { type, filter, sort: undefined, withReferences: true }
  const list = plainListOf([part], 'default', { offset: 0, limit: 1 })
  const display = async () => {
    const [found] = await db.batch(list?.statements ?? [])
    return JSON.parse(String(found?.rows[0]?.groups))[0].display
  }
  expect([await display(), await display()]).toEqual(['All', 'All'])
  const keys = JSON.stringify({ displayName: 'all', x1: 'x'.repeat(1_000) })
  await db.batch([{ sql: `UPDATE groups SET keys = ?1 WHERE id = 'g'`, params: [keys] }])
  expect(await display()).toBeNull()
})
