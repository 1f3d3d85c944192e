/**
 * The attributes of all resources (RFC 7643 §3.1, and "schemas" of §3).
 */
import { attribute, complex } from './definition.ts'

const READ_ONLY = { mutability: 'readOnly' } as const

const EXTERNAL_ID = attribute(
  'externalId',
  'string',
  'The identifier that the provisioning client gave to the resource.',
  { caseExact: true },
)

/**
 * The common attributes that clients set, which /Schemas lists with each base schema: RFC 7643 §3.1 considers common
 * attributes "to be part of every base resource schema". Microsoft's validation for the app gallery looks for them there.
 */
export const SERVED_COMMON_ATTRIBUTES = [EXTERNAL_ID] as const

export const COMMON_ATTRIBUTES = [
  attribute('schemas', 'reference', 'The URNs of the schemas whose attributes the resource holds.', {
    multiValued: true,
    required: true,
    // URNs compare regardless of case, because clients send them in other cases. RFC 8141 §3.1 requires that only for "urn"
    // and the namespace identifier.
    caseExact: false,
    returned: 'always',
    referenceTypes: ['uri'],
  }),
  attribute('id', 'string', 'The identifier that the service provider gave to the resource.', {
    ...READ_ONLY,
    caseExact: true,
    returned: 'always',
    uniqueness: 'server',
  }),
  EXTERNAL_ID,
  complex(
    'meta',
    'Metadata that the service provider keeps of the resource.',
    [
      attribute('resourceType', 'string', 'The name of the resource type.', {
        ...READ_ONLY,
        caseExact: true,
      }),
      attribute('created', 'dateTime', 'When the resource was created.', READ_ONLY),
      attribute('lastModified', 'dateTime', 'When the resource was last changed.', READ_ONLY),
      attribute('location', 'reference', 'The URI of the resource.', {
        ...READ_ONLY,
        referenceTypes: ['uri'],
      }),
      attribute('version', 'string', 'The version of the resource, a weak ETag.', {
        ...READ_ONLY,
        caseExact: true,
      }),
    ],
    READ_ONLY,
  ),
] as const
