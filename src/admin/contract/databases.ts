/** Databases: which ones there are, and whether each of them is the right one and responds. */
import * as v from 'valibot'
import { COUNT, TEXT, TEXT_OR_NULL } from './fields.ts'
import type { Routes } from './route.ts'

const DATABASE = v.pipe(
  v.strictObject({
    name: v.pipe(TEXT, v.description('The name of the binding.')),
    state: v.pipe(
      v.picklist(['ok', 'unavailable', 'wrong']),
      v.description('A "wrong" database belongs to another binding or installation. Its tenants get 503.'),
    ),
    error: v.pipe(
      TEXT_OR_NULL,
      v.description('What was found and what is expected; null if `state` is "ok".'),
    ),
    installation: v.pipe(
      TEXT_OR_NULL,
      v.description('The id of the installation that the database belongs to.'),
    ),
    tenants: v.pipe(v.nullable(COUNT), v.description('Copies of moved tenants included.')),
    bytes: v.pipe(v.nullable(COUNT), v.description('The approximate size.')),
  }),
  v.title('Database'),
)

const FINDING = v.pipe(
  v.strictObject({
    tenantId: TEXT,
    database: v.pipe(TEXT, v.description('The database of the tenant.')),
    what: v.pipe(
      v.picklist(['relocated', 'old copy', 'missing']),
      v.description(
        '"relocated": the catalogue named another database. "old copy": another database had an old copy, which is closed now. "missing": the database does not have the tenant.',
      ),
    ),
    other: v.pipe(
      TEXT_OR_NULL,
      v.description('The other database, in which a copy was closed if there was one.'),
    ),
  }),
  v.title('Finding'),
)

export const databaseRoutes = {
  listDatabases: {
    method: 'GET',
    path: '/databases',
    permission: 'read installation',
    summary: 'Lists the databases, and whether each of them responds and is the right one',
    answers: {
      200: {
        description: 'The databases.',
        body: v.pipe(v.strictObject({ databases: v.array(DATABASE) }), v.title('Databases')),
      },
    },
    refusals: [],
  },
  reconcileDatabases: {
    method: 'POST',
    path: '/databases/reconcile',
    permission: 'own installation',
    summary: 'Reconciles the catalogue with the databases after one of them was restored',
    description:
      'The newest copy of each tenant becomes the current one. Old copies are closed, not deleted. The hourly run does the same.',
    answers: {
      200: {
        description: 'What was found; an empty list if everything fits.',
        body: v.pipe(
          v.strictObject({
            findings: v.array(FINDING),
            errors: v.pipe(v.array(TEXT), v.description('Databases that could not be reconciled.')),
          }),
          v.title('Reconciliation'),
        ),
      },
    },
    refusals: [],
  },
} as const satisfies Routes
