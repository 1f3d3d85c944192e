/**
 * The ciscoumbrella extension as data: nativeObjectId, the on-premises objectGUID that older Cisco
 * clients need for user attribution. The gallery application maps it on users; its 2021 version
 * mapped it on groups too, so both resource types have it.
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
