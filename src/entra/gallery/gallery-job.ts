/**
 * The job of the gallery suite and its test data. Microsoft's validator reads the mappings of the application that is
 * validated; without a job file, these are the default mappings of an application with an enterprise user.
 *
 * Microsoft: "Tutorial: Develop a SCIM endpoint" (default mappings); Orchestrator_Parameters.json (test data).
 */
import { DEFAULT_JOB, type JobConfig } from '../documents/job.ts'
import type { AttributeMapping } from '../mappings/attribute-mapping.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

const USER_MAPPINGS = [
  { target: 'userName', type: 'direct', source: 'userPrincipalName', matching: 1 },
  {
    target: 'active',
    type: 'expression',
    source: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")',
    targetType: 'boolean',
  },
  { target: 'displayName', type: 'direct', source: 'displayName' },
  { target: 'title', type: 'direct', source: 'jobTitle' },
  { target: 'emails[type eq "work"].value', type: 'direct', source: 'mail' },
  { target: 'preferredLanguage', type: 'direct', source: 'preferredLanguage' },
  { target: 'name.givenName', type: 'direct', source: 'givenName' },
  { target: 'name.familyName', type: 'direct', source: 'surname' },
  { target: 'name.formatted', type: 'expression', source: 'Join(" ", [givenName], [surname])' },
  { target: 'addresses[type eq "work"].formatted', type: 'direct', source: 'officeLocation' },
  { target: 'addresses[type eq "work"].streetAddress', type: 'direct', source: 'streetAddress' },
  { target: 'addresses[type eq "work"].locality', type: 'direct', source: 'city' },
  { target: 'addresses[type eq "work"].region', type: 'direct', source: 'state' },
  { target: 'addresses[type eq "work"].postalCode', type: 'direct', source: 'postalCode' },
  { target: 'addresses[type eq "work"].country', type: 'direct', source: 'country' },
  { target: 'phoneNumbers[type eq "work"].value', type: 'direct', source: 'telephoneNumber' },
  { target: 'phoneNumbers[type eq "mobile"].value', type: 'direct', source: 'mobilePhone' },
  { target: 'phoneNumbers[type eq "fax"].value', type: 'direct', source: 'faxNumber' },
  { target: 'externalId', type: 'direct', source: 'mailNickname' },
  { target: `${ENTERPRISE}:employeeNumber`, type: 'direct', source: 'employeeId' },
  { target: `${ENTERPRISE}:department`, type: 'direct', source: 'department' },
  { target: `${ENTERPRISE}:manager`, type: 'direct', source: 'manager', targetType: 'reference' },
] as const satisfies readonly AttributeMapping[]

/** New applications send PATCH requests without `path`; see `isVerbose`. */
export const GALLERY_JOB: JobConfig = {
  ...DEFAULT_JOB,
  id: 'gallery-validation',
  dialect: 'flag',
  users: { ...DEFAULT_JOB.users, attributeMappings: USER_MAPPINGS },
  concurrency: 1,
}

/** "defaultUserProperties" of Orchestrator_Parameters.json: the first user, and the values of an update. */
export const USER_PROPERTIES: Readonly<Record<string, string>> = {
  city: 'Seattle',
  companyName: 'Test Company',
  country: 'US',
  department: 'Research',
  employeeId: 'E12345',
  faxNumber: '+1-555-0102',
  givenName: 'User1 Given',
  jobTitle: 'Software Engineer',
  mobilePhone: '+1-555-0101',
  officeLocation: 'Building A, Floor 3',
  postalCode: '98101',
  preferredLanguage: 'en-US',
  state: 'WA',
  streetAddress: '123 Test Street',
  surname: 'User',
  telephoneNumber: '+1-555-0100',
  usageLocation: 'US',
}

export const UPDATED_PROPERTIES: Readonly<Record<string, string>> = {
  city: 'Sanjose',
  department: 'Legal',
  givenName: 'User2 Given',
  jobTitle: 'Software Dev Engineer',
  mobilePhone: '+1-555-0120',
  state: 'CA',
  streetAddress: '240 East 24th Ave',
  telephoneNumber: '+1-555-2001',
}

/** "scimTargetUserValues" of Orchestrator_Parameters.json, second entry: the values of SCIM_User_Update_Test. */
export const UPDATED_TARGETS: Readonly<Record<string, string>> = {
  title: 'Senior Engineer',
  nickName: 'updateduser',
  'name.givenName': 'UpdatedFirst',
  'name.familyName': 'UpdatedLast',
  'name.formatted': 'UpdatedFirst UpdatedLast',
  displayName: 'Updated SCIM User',
  locale: 'en-GB',
  preferredLanguage: 'en-GB',
  timezone: 'Europe/London',
  userType: 'Contractor',
  'addresses[type eq "work"].streetAddress': '456 Update Ave',
  'addresses[type eq "work"].locality': 'London',
  'addresses[type eq "work"].region': 'England',
  'addresses[type eq "work"].postalCode': 'EC1A 1BB',
  'addresses[type eq "work"].country': 'GB',
}

/**
 * Whether changes are sent as one operation for each attribute. In the validator, the setting "PatchBodyFormat" of the
 * job decides; that it corresponds to the old dialect is not confirmed.
 */
export function isVerbose(job: JobConfig): boolean {
  return job.dialect === 'old'
}

/** The mapped attributes of users, and whether the manager is among them: "isManagerAttributeSupported". */
export function mapsManager(job: JobConfig): boolean {
  return job.users.attributeMappings.some(({ target }) => target.includes('manager'))
}

/** The mapped attribute of the manager. */
export function managerPath({ users }: JobConfig): string {
  return (
    users.attributeMappings.find(({ target }) => target.includes('manager'))?.target ??
    `${ENTERPRISE}:manager`
  )
}
