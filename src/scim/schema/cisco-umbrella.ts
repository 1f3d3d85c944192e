/**
 * The ciscoumbrella extension: nativeObjectId, the on-premises objectGUID that older Cisco clients need for user
 * attribution. Entra's gallery application maps it for users. Its 2021 version also mapped it for groups, so both resource
 * types have the extension.
 */
import { CISCO_UMBRELLA_GROUP_SCHEMA, CISCO_UMBRELLA_USER_SCHEMA } from '../urn.ts'
import { attribute, type Schema } from './definition.ts'

const NATIVE_OBJECT_ID = attribute(
  'nativeObjectId',
  'string',
  'The objectGUID of the object in the on-premises Active Directory.',
)

export const CISCO_UMBRELLA_USER = {
  id: CISCO_UMBRELLA_USER_SCHEMA,
  name: 'CiscoUmbrellaUser',
  description: 'Cisco Umbrella User',
  attributes: [NATIVE_OBJECT_ID],
} as const satisfies Schema

export const CISCO_UMBRELLA_GROUP = {
  id: CISCO_UMBRELLA_GROUP_SCHEMA,
  name: 'CiscoUmbrellaGroup',
  description: 'Cisco Umbrella Group',
  attributes: [NATIVE_OBJECT_ID],
} as const satisfies Schema
