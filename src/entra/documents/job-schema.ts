/**
 * The JSON Schema of a job file. job-file.ts validates with it, and editors read it from job.schema.json, which is
 * generated: `npx vitest run --project node test/entra/documents/job-file.test.ts -u` updates it.
 */
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'
import { SCOPING_OPERATORS, type ScopingClause, type ScopingFilter } from '../mappings/scoping-filter.ts'
import { CLIENT_AUTHENTICATIONS } from '../oauth/grant.ts'
import { PROVIDER_NAMES } from '../providers/providers.ts'
import { DEFAULT_JOB, type ObjectMapping, type TargetObjectActions } from './job.ts'
import {
  AUTHENTICATION_METHODS,
  type AuthenticationConfig,
  type JobDocument,
  type NotificationConfig,
} from './job-document.ts'
import type { BooleanSchema, JsonSchema, ObjectSchema, StringSchema } from './json-schema.ts'

/** Requires exactly one schema for each field of the type. */
type PropertiesOf<Type> = Readonly<Record<keyof Type, JsonSchema>>

function text(description?: string, format?: StringSchema['format']): StringSchema {
  return {
    type: 'string',
    minLength: 1,
    ...(format === undefined ? {} : { format }),
    ...(description === undefined ? {} : { description }),
  }
}

function flag(value: boolean): BooleanSchema {
  return { type: 'boolean', default: value }
}

const ATTRIBUTE_MAPPING: ObjectSchema = {
  type: 'object',
  required: ['target', 'type', 'source'],
  additionalProperties: false,
  properties: {
    target: text('Target attribute, e.g. userName, name.givenName or emails[type eq "work"].value'),
    type: { enum: ['direct', 'constant', 'expression'] },
    source: text('Source attribute, constant, or expression'),
    defaultValue: text('Sent at creation when the source is empty'),
    matching: { type: 'integer', minimum: 1, description: 'Precedence among the matching attributes' },
    apply: { enum: ['always', 'onCreate'], default: 'always' },
    targetType: { enum: ['string', 'boolean', 'integer', 'reference'], default: 'string' },
  } satisfies PropertiesOf<AttributeMapping>,
}

const CLAUSE: ObjectSchema = {
  title: 'clause',
  type: 'object',
  required: ['attribute', 'operator'],
  additionalProperties: false,
  properties: {
    attribute: text(),
    operator: { enum: SCOPING_OPERATORS },
    value: { type: ['string', 'number'] },
  } satisfies PropertiesOf<ScopingClause>,
}

const SCOPING_FILTER: ObjectSchema = {
  type: 'object',
  required: ['clauses'],
  additionalProperties: false,
  properties: {
    name: text(),
    clauses: { type: 'array', minItems: 1, items: CLAUSE, description: 'All clauses must be satisfied' },
  } satisfies PropertiesOf<ScopingFilter>,
}

const ACTIONS: ObjectSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    create: flag(true),
    update: flag(true),
    delete: flag(true),
  } satisfies PropertiesOf<TargetObjectActions>,
}

function objectMapping(description: string): ObjectSchema {
  return {
    type: 'object',
    description,
    additionalProperties: false,
    properties: {
      attributeMappings: { type: 'array', items: ATTRIBUTE_MAPPING },
      scopingFilters: {
        type: 'array',
        items: SCOPING_FILTER,
        description: 'At least one filter must be satisfied',
      },
      targetObjectActions: ACTIONS,
    } satisfies PropertiesOf<ObjectMapping>,
  }
}

const NOTIFICATION: ObjectSchema = {
  type: 'object',
  additionalProperties: false,
  dependentRequired: { email: ['smtp'] },
  properties: {
    email: text(undefined, 'email'),
    smtp: text('smtp://user:password@host:port, or $NAME of an environment variable with that URL'),
    webhook: text(undefined, 'uri'),
  } satisfies PropertiesOf<NotificationConfig>,
}

const AUTHENTICATION: ObjectSchema = {
  type: 'object',
  description: 'OAuth 2.0 in place of the Secret Token; secrets come from files and environment variables',
  additionalProperties: false,
  properties: {
    method: { enum: AUTHENTICATION_METHODS, default: 'bearer' },
    tokenEndpoint: text(undefined, 'uri'),
    clientId: text(),
    clientSecretVariable: text('Name of the environment variable with the client secret'),
    clientSecretFile: text('File with the client secret, relative to this file'),
    clientAuthentication: {
      enum: CLIENT_AUTHENTICATIONS,
      default: 'body',
      description: 'Where the token request carries the client secret',
    },
    scope: text('Scope of the access token'),
    issuer: text('Issuer of the assertion; without it, an issuer is started', 'uri'),
    applicationId: text('Application in Entra that the assertion is about'),
    applicationSecretVariable: text(
      'Name of the environment variable with the application’s secret at the issuer',
    ),
    applicationSecretFile: text('File with the application’s secret at the issuer, relative to this file'),
  } satisfies PropertiesOf<AuthenticationConfig>,
}

export const JOB_SCHEMA: ObjectSchema = {
  title: 'Provisioning job of the Entra emulator',
  description: 'Every field is optional and defaults to the value in the Cisco tutorial.',
  type: 'object',
  additionalProperties: false,
  properties: {
    $schema: text(),
    id: text('Shown in logs'),
    tenantUrl: text(undefined, 'uri'),
    token: text('The Secret Token; prefer tokenVariable'),
    tokenVariable: text('Name of the environment variable with the Secret Token'),
    authentication: AUTHENTICATION,
    directory: text('Directory file, relative to this file'),
    state: text('State file, relative to this file'),
    provider: { enum: PROVIDER_NAMES, default: DEFAULT_JOB.provider },
    dialect: { enum: ['old', 'flag'], default: DEFAULT_JOB.dialect },
    scope: { enum: ['assigned', 'all'], default: DEFAULT_JOB.scope },
    users: objectMapping('Synchronize Microsoft Entra users'),
    groups: objectMapping('Synchronize Microsoft Entra groups'),
    provisionGroups: flag(true),
    skipOutOfScopeDeletions: flag(DEFAULT_JOB.skipOutOfScopeDeletions),
    accidentalDeletionThreshold: {
      type: 'integer',
      minimum: 0,
      description: 'Maximum number of disables and deletes in one cycle; more are held back',
    },
    defaultDomain: text(),
    exact: flag(DEFAULT_JOB.exact),
    membersPerRequest: { type: 'integer', minimum: 1, default: DEFAULT_JOB.membersPerRequest },
    concurrency: { type: 'integer', minimum: 1, maximum: 100, default: DEFAULT_JOB.concurrency },
    notification: NOTIFICATION,
  } satisfies PropertiesOf<JobDocument>,
}
