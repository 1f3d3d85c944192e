/** Job files: valid documents, and the messages for invalid ones. */
import { join } from 'node:path'
import { type Schema, Validator } from '@cfworker/json-schema'
import { describe, expect, it } from 'vitest'
import { DEFAULT_JOB, defaultJob } from '../../../src/entra/documents/job.ts'
import { parseJobFile } from '../../../src/entra/documents/job-file.ts'
import { JOB_SCHEMA } from '../../../src/entra/documents/job-schema.ts'
import { describePath } from '../../../src/entra/problem.ts'

const MAPPING = { target: 'userName', type: 'direct', source: 'mail', matching: 1 }

/** Every field of a job file. */
const WHOLE = {
  $schema: './job.schema.json',
  id: 'acme',
  tenantUrl: 'https://scim.quillfern.example/scim/v2',
  token: 'secret',
  tokenVariable: 'TOKEN',
  authentication: {
    method: 'client-credentials',
    tokenEndpoint: 'https://scim.quillfern.example/oauth/token',
    clientId: 'acme_x',
    clientSecretVariable: 'SECRET',
    clientSecretFile: 'secret.txt',
    clientAuthentication: 'basic',
    scope: 'scim',
    issuer: 'https://login.microsoftonline.com/t/v2.0',
    applicationId: 'c3b7a1e8-2d94-4f60-8b15-90e6f2a7d4c1',
    applicationSecretVariable: 'APP_SECRET',
    applicationSecretFile: 'application.txt',
  },
  directory: 'directory.yaml',
  state: 'state.json',
  provider: 'okta',
  dialect: 'flag',
  scope: 'all',
  users: {
    attributeMappings: [
      MAPPING,
      {
        target: 'active',
        type: 'expression',
        source: 'Not([IsSoftDeleted])',
        defaultValue: 'True',
        apply: 'onCreate',
        targetType: 'boolean',
      },
    ],
    scopingFilters: [
      { clauses: [{ attribute: 'department', operator: 'EQUALS', value: 'Sales' }] },
      { name: 'guests', clauses: [{ attribute: 'mail', operator: 'IS NULL' }] },
    ],
    targetObjectActions: { delete: false },
  },
  groups: { scopingFilters: [{ clauses: [{ attribute: 'size', operator: '&', value: 4 }] }] },
  provisionGroups: true,
  skipOutOfScopeDeletions: true,
  accidentalDeletionThreshold: 0,
  defaultDomain: 'quillfern.example',
  exact: true,
  membersPerRequest: 1,
  concurrency: 100,
  notification: { email: 'a@quillfern.example', smtp: '$SMTP', webhook: 'https://quillfern.example/hook' },
}

/** Invalid documents with their messages. */
const STRUCTURAL: readonly (readonly [document: unknown, problem: string])[] = [
  [[], 'the document: must be an object, found a list'],
  [{ colour: 1 }, `colour: is unknown: expected one of ${Object.keys(JOB_SCHEMA.properties).join(', ')}`],
  [{ scope: 'some' }, 'scope: must be "assigned" or "all", found the string "some"'],
  [{ id: '' }, 'id: must be a non-empty string, found an empty string'],
  [{ provisionGroups: 'no' }, 'provisionGroups: must be true or false, found the string "no"'],
  [{ membersPerRequest: 0 }, 'membersPerRequest: must be a whole number, 1 or more, found the number 0'],
  [{ concurrency: 101 }, 'concurrency: must be a whole number from 1 to 100, found the number 101'],
  [
    { users: { mappings: [] } },
    'users.mappings: is unknown: expected one of attributeMappings, scopingFilters, targetObjectActions',
  ],
  [{ users: { attributeMappings: {} } }, 'users.attributeMappings: must be a list, found an object'],
  [
    { users: { attributeMappings: [{ target: 'userName', type: 'direct', matching: 1 }] } },
    'users.attributeMappings[0].source: is required',
  ],
  [
    { groups: { scopingFilters: ['department'] } },
    'groups.scopingFilters[0]: must be an object with "clauses", found the string "department"',
  ],
  [
    { users: { scopingFilters: [{ clauses: [] }] } },
    'users.scopingFilters[0].clauses: must contain at least one clause',
  ],
  [
    { authentication: { method: 'oauth' } },
    'authentication.method: must be "bearer" or "client-credentials" or "federated", found the string "oauth"',
  ],
  [
    { authentication: { clientSecret: 'x' } },
    `authentication.clientSecret: is unknown: expected one of ${Object.keys(WHOLE.authentication).join(', ')}`,
  ],
  [{ notification: { email: 'a@quillfern.example' } }, 'notification.smtp: is required with "email"'],
]

/** Errors that a JSON Schema cannot express. */
const SEMANTIC: typeof STRUCTURAL = [
  [
    { users: { attributeMappings: [{ ...MAPPING, matching: 2 }] } },
    'users.attributeMappings: has the matching precedences 2: expected 1, 2, … once each',
  ],
  [
    { users: { attributeMappings: [] } },
    'users.attributeMappings: has no matching attribute: set "matching": 1 on one mapping',
  ],
  [
    { users: { scopingFilters: [{ clauses: [{ attribute: 'a', operator: 'IS NULL', value: 1 }] }] } },
    'users.scopingFilters[0].clauses[0].value: IS NULL does not take a value',
  ],
  [
    { users: { scopingFilters: [{ clauses: [{ attribute: 'a', operator: 'EQUALS' }] }] } },
    'users.scopingFilters[0].clauses[0].value: EQUALS needs a string or a number, found nothing',
  ],
  [
    { users: { scopingFilters: [{ clauses: [{ attribute: 'manager', operator: 'IS NULL' }] }] } },
    'users.scopingFilters[0].clauses[0].attribute: "manager" cannot be used in a scoping filter',
  ],
  [
    { groups: { scopingFilters: [{ clauses: [{ attribute: 'a', operator: 'GREATER_THAN', value: -1 }] }] } },
    'groups.scopingFilters[0].clauses[0].value: GREATER_THAN needs a whole number, 0 or more, found the number -1',
  ],
  [
    {
      users: {
        scopingFilters: [{ clauses: [{ attribute: 'a', operator: 'REGEX MATCH', value: '(?(a)b)' }] }],
      },
    },
    'users.scopingFilters[0].clauses[0].value: "(?(a)b)" cannot be used as a regular expression: conditions, (?(…)yes|no), are not supported',
  ],
  [
    {
      scope: 'all',
      users: {
        attributeMappings: [
          MAPPING,
          { target: 'title', type: 'expression', source: 'SingleAppRoleAssignment([appRoleAssignments])' },
        ],
      },
    },
    'users.attributeMappings[1].source: App roles cannot be mapped with the scope "all"',
  ],
  [
    {
      exact: true,
      users: { attributeMappings: [{ ...MAPPING, type: 'expression', source: 'toLower([mail])' }] },
    },
    'users.attributeMappings[0].source: toLower is written ToLower: names are case-sensitive at position 1\n  toLower([mail])\n  ^',
  ],
  [{ notification: { webhook: 'ftp://x' } }, 'notification.webhook: must be an http or https URL'],
]

function problemsOf(document: unknown): readonly string[] {
  return parseJobFile(document).problems.map(({ path, message }) => `${describePath(path)}: ${message}`)
}

function schemaAllows(document: unknown): boolean {
  const schema = JSON.parse(JSON.stringify(JOB_SCHEMA)) as Schema
  return new Validator(schema, '2020-12').validate(JSON.parse(JSON.stringify(document))).valid
}

describe('a job file', () => {
  it('is the tutorial job when it is empty', () => {
    expect(parseJobFile({})).toEqual({ jobFile: { job: DEFAULT_JOB }, problems: [] })
  })

  it('may set every field', () => {
    const { jobFile, problems } = parseJobFile(WHOLE)
    expect(problems).toEqual([])
    const { $schema: _, provisionGroups: __, users, groups, notification, ...rest } = WHOLE
    const { tenantUrl, token, tokenVariable, authentication, directory, state, ...config } = rest
    const first = { name: 'filter 1' }
    expect(jobFile).toEqual({
      tenantUrl,
      token,
      tokenVariable,
      authentication,
      directory,
      state,
      notification,
      job: {
        ...config,
        users: {
          attributeMappings: users.attributeMappings,
          scopingFilters: [{ ...first, ...users.scopingFilters[0] }, users.scopingFilters[1]],
          targetObjectActions: { create: true, update: true, delete: false },
        },
        groups: { ...defaultJob('okta').groups, scopingFilters: [{ ...first, ...groups.scopingFilters[0] }] },
      },
    })
    expect(Object.keys(WHOLE)).toEqual(Object.keys(JOB_SCHEMA.properties))
  })

  it('has the mappings of its provider, which an option overrides', () => {
    expect(parseJobFile({ provider: 'okta' }).jobFile?.job).toEqual(defaultJob('okta'))
    expect(parseJobFile({ provider: 'okta' }, 'google').jobFile?.job).toEqual(defaultJob('google'))
    expect(defaultJob('google')).not.toHaveProperty('groups')
  })

  it('has no group mapping when groups are disabled', () => {
    expect(parseJobFile({ provisionGroups: false }).jobFile?.job).not.toHaveProperty('groups')
  })

  it.for([...STRUCTURAL, ...SEMANTIC])('is rejected: %j', ([document, problem]) => {
    expect(problemsOf(document)).toEqual([problem])
  })

  it('reports all errors at once', () => {
    const mappings = [
      { ...MAPPING, target: 'name.' },
      { ...MAPPING, type: 'copy' },
    ]
    const problems = problemsOf({ scope: 'some', users: { attributeMappings: mappings } })
    expect(problems).toEqual([
      expect.stringMatching(/^scope: /),
      expect.stringMatching(/^users\.attributeMappings\[1\]\.type: must be "direct" or /),
      expect.stringMatching(/^users\.attributeMappings\[0\]\.target: /),
    ])
  })
})

describe('job.schema.json', () => {
  it('is the schema that the reader validates with', async () => {
    const file = join(import.meta.dirname, '../../../src/entra/job.schema.json')
    const schema = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...JOB_SCHEMA }
    await expect(`${JSON.stringify(schema, null, 2)}\n`).toMatchFileSnapshot(file)
  })

  it('allows what the reader accepts', () => {
    for (const document of [{}, WHOLE]) expect(schemaAllows(document)).toBe(true)
  })

  it.for(STRUCTURAL)('rejects what the reader rejects: %j', ([document]) => {
    expect(schemaAllows(document)).toBe(false)
  })
})
