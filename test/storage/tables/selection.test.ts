import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import { selection } from '../../../src/storage/tables/selection.ts'
import { jobs, provisioningLog, tenants } from '../../../src/storage/tables/tables.ts'

describe('selection', () => {
  const TENANT = selection(tenants, ['id', 'uniqueGroupNames', 'importedLines'], {
    computed: { logKilobytes: sql<number | null>`log_bytes / 1024` },
  })

  it('selects each column under the name of its field', () => {
    expect(TENANT.where(sql`id > ${'a'} ORDER BY id LIMIT ${2}`)).toEqual({
      sql: 'SELECT id, unique_group_names AS uniqueGroupNames, imported_lines AS importedLines, log_bytes / 1024 AS logKilobytes FROM tenants WHERE id > ?1 ORDER BY id LIMIT ?2 + 0',
      params: ['a', 2],
    })
  })

  it('names the table where it has an alias', () => {
    const entry = selection(provisioningLog, ['id', 'scimType'], { alias: 'l' })
    expect(entry.where(sql`l.id = ${'x'}`).sql).toBe(
      'SELECT l.id AS id, l.scim_type AS scimType FROM provisioning_log AS l WHERE l.id = ?1',
    )
  })

  it('reads rows as the values of the table: booleans as booleans, NULL as null', () => {
    const row = { id: 't', uniqueGroupNames: 0, importedLines: null, logKilobytes: 3, other: 'left out' }
    expect(TENANT.fromRow(row)).toEqual({
      id: 't',
      uniqueGroupNames: false,
      importedLines: null,
      logKilobytes: 3,
    })
  })

  it('reads all rows of a result, or its first', () => {
    const job = selection(jobs, ['id'])
    const result = { rows: [{ id: 'a' }, { id: 'b' }], changes: 0 }
    expect(job.all(result)).toEqual([{ id: 'a' }, { id: 'b' }])
    expect(job.first(result)).toEqual({ id: 'a' })
    expect(job.all(undefined)).toEqual([])
    expect(job.first({ rows: [], changes: 0 })).toBeUndefined()
  })
})
