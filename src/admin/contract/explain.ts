/** Explaining a request without doing it. */
import * as v from 'valibot'
import { COUNT, field, TEXT, TEXT_OR_NULL } from './fields.ts'
import type { Routes } from './route.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const MAX_PATH_CHARACTERS = 10_000

export const EXPLAIN_INPUT = v.pipe(
  v.strictObject({
    method: v.picklist(METHODS),
    path: v.pipe(
      TEXT,
      v.minLength(1),
      v.maxLength(MAX_PATH_CHARACTERS),
      v.description('Relative to the Tenant URL, with its query.'),
      field({ allowed: `a path of 1 to ${MAX_PATH_CHARACTERS} characters, such as "/Users"` }),
    ),
    body: v.optional(v.pipe(v.unknown(), v.description('The body of the request, as JSON.'))),
    clientId: v.optional(
      v.pipe(TEXT, v.description('The client that sends the request. By default, an administrator does.')),
    ),
  }),
  v.title('ExplainInput'),
  v.examples([
    {
      method: 'PATCH',
      path: '/Users/0198c7a2-5d1e-7c3a-9f04-6b2d8e1a4c57',
      body: {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'replace', path: 'active', value: false }],
      },
    },
  ]),
)

const LIST = v.object({
  isIndexed: v.pipe(v.boolean(), v.description('Whether indexes lead to all matches.')),
  indexes: v.pipe(v.array(TEXT), v.description('The indexes of the database that lead to candidates.')),
  tests: v.array(v.object({ resourceType: TEXT, test: TEXT, isIndexed: v.boolean() })),
  scanned: v.pipe(
    v.nullable(COUNT),
    v.description(
      'The number of resources that are looked through, counted up to the limit; null if an index leads to the matches.',
    ),
  ),
  estimatedMs: v.pipe(v.nullable(COUNT), v.description('The estimated time for that, in milliseconds.')),
  allowedMs: v.pipe(COUNT, v.description('The longest estimated time that is allowed.')),
  indexed: v.pipe(v.array(TEXT), v.description('The tests that an index answers, for each resource type.')),
})

const EXPLAINED = v.pipe(
  v.object({
    status: v.pipe(v.number(), v.integer(), v.description('The HTTP status of the answer.')),
    answer: v.pipe(v.unknown(), v.description('The body of the answer; null if it has none.')),
    refusal: v.nullable(
      v.object({
        scimType: TEXT_OR_NULL,
        detail: TEXT,
        cause: v.pipe(TEXT_OR_NULL, v.description('What the refusal means.')),
        fix: v.pipe(TEXT_OR_NULL, v.description('What to do about it.')),
      }),
    ),
    changes: v.array(
      v.object({ attribute: TEXT, old: v.optional(v.unknown()), new: v.optional(v.unknown()) }),
    ),
    members: v.object({ added: v.array(TEXT), removed: v.array(TEXT) }),
    log: v.pipe(
      v.nullable(
        v.object({
          action: TEXT,
          outcome: v.picklist(['accepted', 'refused']),
          resourceType: TEXT,
          resourceId: TEXT_OR_NULL,
          resourceName: TEXT_OR_NULL,
          status: v.pipe(v.number(), v.integer()),
          scimType: TEXT_OR_NULL,
          detail: TEXT_OR_NULL,
          ignored: v.array(TEXT),
        }),
      ),
      v.description(
        'The entry of the provisioning log; null if the request is not logged, or is only counted in an entry of its kind.',
      ),
    ),
    events: v.pipe(
      v.array(
        v.object({
          type: TEXT,
          resourceId: TEXT_OR_NULL,
          data: v.pipe(v.unknown(), v.description('Null if it is long.')),
        }),
      ),
      v.description('The first 100 events.'),
    ),
    eventCount: COUNT,
    list: v.pipe(v.nullable(LIST), v.description('How a list is answered; null for any other request.')),
  }),
  v.title('Explanation'),
)

export const explainRoutes = {
  explainRequest: {
    method: 'POST',
    path: '/tenants/{id}/explain',
    permission: 'change',
    summary: 'Explains what a SCIM request would do, without doing it',
    description:
      'The request is handled like that of the client, in a transaction that is rolled back: nothing is stored, logged, sent or counted. The ids of new resources are examples. For a list, the answer also says which index is used and how much is looked through. A bulk request is refused: explain its operations one by one.',
    body: EXPLAIN_INPUT,
    answers: { 200: { description: 'What the request would do.', body: EXPLAINED } },
    refusals: [404, 409],
  },
} as const satisfies Routes
