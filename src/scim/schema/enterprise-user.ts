/**
 * The enterprise extension of User (RFC 7643 §4.3, §8.7.1).
 */
import { ENTERPRISE_USER_SCHEMA } from '../urn.ts'
import { attribute, complex, type Schema } from './definition.ts'

export const ENTERPRISE_USER = {
  id: ENTERPRISE_USER_SCHEMA,
  name: 'EnterpriseUser',
  description: 'Enterprise User',
  attributes: [
    attribute(
      'employeeNumber',
      'string',
      'The number or letters that the organisation assigned to the user.',
    ),
    attribute('costCenter', 'string', 'The name of a cost center.'),
    attribute('organization', 'string', 'The name of an organization.'),
    attribute('division', 'string', 'The name of a division.'),
    attribute('department', 'string', 'The name of a department.'),
    complex('manager', "The user's manager.", [
      attribute('value', 'string', "The identifier of the manager's User resource.", { caseExact: true }),
      attribute('$ref', 'reference', "The URI of the manager's User resource.", { referenceTypes: ['User'] }),
      attribute('displayName', 'string', 'The displayName of the manager.', { mutability: 'readOnly' }),
    ]),
  ],
} as const satisfies Schema
