import { join } from 'node:path'
import { afterAll } from 'vitest'
import { SqliteD1 } from '../../src/sqlite/d1.ts'
import { migrate } from '../../src/sqlite/migrations.ts'
import { openFile } from '../../src/sqlite/open.ts'
import { type ContractDatabase, describeDatabase } from '../support/database-contract.ts'
import { MIGRATIONS, OPTIONS, temporaryFolder } from './support/files.ts'

const file = openFile(join(temporaryFolder(), 'directory.sqlite'), OPTIONS)
migrate(file.database, MIGRATIONS)
const database = new SqliteD1(file.database) as unknown as ContractDatabase
afterAll(() => file.close())

describeDatabase('a SQLite file in Node.js', () => database)
