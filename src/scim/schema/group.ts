/**
 * The Group schema (RFC 7643 §4.2, §8.7.1).
 */
import { MAX_MEMBERS } from '../limits.ts'
import { GROUP_SCHEMA } from '../urn.ts'
import { attribute, complex, type Schema } from './definition.ts'

const IMMUTABLE = { mutability: 'immutable' } as const

export const GROUP = {
  id: GROUP_SCHEMA,
  name: 'Group',
  description: 'Group',
  attributes: [
    // Uniqueness is "none", as in RFC 7643 §8.7.1. Each tenant chooses whether names are unique, but all tenants share this
    // schema.
    attribute(
      'displayName',
      'string',
      'The name of the group. It is unique in the directory, regardless of case, unless the administrator allows duplicates.',
      // RFC 7643 §4.2 says REQUIRED, although the schema in §8.7.1 has false.
      { required: true },
    ),
    complex(
      'members',
      'The members of the group.',
      [
        attribute('value', 'string', 'The identifier of the member.', { ...IMMUTABLE, caseExact: true }),
        attribute('$ref', 'reference', 'The URI of the member.', {
          ...IMMUTABLE,
          referenceTypes: ['User', 'Group'],
        }),
        attribute('type', 'string', 'The resource type of the member.', {
          ...IMMUTABLE,
          canonicalValues: ['User', 'Group'],
        }),
        attribute('display', 'string', 'The displayName of the member.', { mutability: 'readOnly' }),
      ],
      { multiValued: true, maxElements: MAX_MEMBERS },
    ),
  ],
} as const satisfies Schema
