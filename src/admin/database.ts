/**
 * The database for the administrator's part. An export or a deletion takes hundreds of batches, one after another, so each
 * of them waits for its turn among the requests of tenants.
 */
import type { Runtime } from '../runtime.ts'
import { type Database, type DatabaseFigures, inTurn } from '../storage/database.ts'

/** No tenant has this name: a space is not among the characters of an id. */
const OWNER = 'the administration'

/** @param figures receives what it costs */
export function administrationDatabase(
  { env: { openDatabase, turn } }: { readonly env: Pick<Runtime, 'openDatabase' | 'turn'> },
  figures: DatabaseFigures,
): Database {
  return inTurn(openDatabase(undefined, figures), turn && (() => turn(OWNER)))
}
