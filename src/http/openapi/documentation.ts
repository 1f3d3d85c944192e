/**
 * Additional documentation of schemas, by their URN: the source of the definition, and an example of a resource. Optional.
 */
import * as urn from '../../scim/urn.ts'
import type { Json } from './json-schema.ts'

export const USER_EXAMPLE = {
  schemas: [urn.USER_SCHEMA, urn.CISCO_UMBRELLA_USER_SCHEMA],
  userName: 'mirela.osterholt@quillfern.example',
  externalId: 'mosterholt',
  displayName: 'Mirela Osterholt',
  name: { givenName: 'Mirela', familyName: 'Osterholt' },
  emails: [{ value: 'mirela.osterholt@quillfern.example', type: 'work', primary: true }],
  active: true,
  [urn.CISCO_UMBRELLA_USER_SCHEMA]: { nativeObjectId: '8f14e45f-ceea-467a-9a6b-2f8ad6a1f4e7' },
} as const

export const GROUP_EXAMPLE = {
  schemas: [urn.GROUP_SCHEMA],
  displayName: 'Field Crew',
  externalId: '0f1c6a52-7d0e-4f0e-9c39-6a1b5d2f7c11',
  members: [{ value: '0193c5a1-7b7e-7f6e-9f52-4f8b0a4f6d21', type: 'User' }],
} as const

export const DOCUMENTATION: Readonly<Record<string, { readonly source: string; readonly example: Json }>> = {
  [urn.USER_SCHEMA]: { source: 'RFC 7643 §4.1', example: USER_EXAMPLE },
  [urn.GROUP_SCHEMA]: { source: 'RFC 7643 §4.2', example: GROUP_EXAMPLE },
}
