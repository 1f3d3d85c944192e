/**
 * The Group schema as data (RFC 7643 §4.2, §8.7.1).
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
    attribute('displayName', 'string', 'The name of the group; unique in the directory.', {
      // RFC 7643 §4.2 says REQUIRED in its text, although the schema listing of §8.7.1 has false.
      required: true,
      uniqueness: 'server',
    }),
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
