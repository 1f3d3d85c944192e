/** OneLogin: "Implement SCIM API", "SCIM Provisioner with SAML (SCIM v2 Enterprise)". */
import type { ConnectGuide } from './guide.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

/** What OneLogin sends of a user: its parameters and macros stand for the values. */
const TEMPLATE = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', ENTERPRISE],
  userName: '{$parameters.scimusername}',
  displayName: '{$user.display_name}',
  name: { givenName: '{$user.firstname}', familyName: '{$user.lastname}', formatted: '{$user.display_name}' },
  emails: [{ value: '{$user.email}', type: 'work', primary: true }],
  title: '{$parameters.title}',
  [ENTERPRISE]: { department: '{$parameters.department}' },
}

export const ONELOGIN: ConnectGuide = {
  id: 'onelogin',
  name: 'OneLogin',
  application: 'SCIM Provisioner with SAML (SCIM v2 Enterprise)',
  credentialName: 'OneLogin',
  credentials: ['token'],
  addSteps: [
    'In the OneLogin administration, open *Applications*, *Applications*, and press *Add App*.',
    'Search for `SCIM Provisioner with SAML (SCIM v2 Enterprise)`, choose it, enter a name, and press *Save*. Templates with "SCIM v1.1" in their name do not work: they use an older protocol.',
  ],
  fieldSteps: ['Open *Configuration*.'],
  fields: [
    { label: 'SCIM Base URL', value: 'tenantUrl' },
    { label: 'SCIM JSON Template', value: { copy: JSON.stringify(TEMPLATE) } },
    { label: 'SCIM Bearer Token', value: 'token' },
  ],
  testStep: 'Press *Save*, then *Enable* under *API Connection*. The status becomes *Enabled*.',
  mappingSteps: [
    'The template above has the mappings. Open *Parameters*, and set *scimusername* to the value that names a user, such as *Email*.',
  ],
  sourceTitle: 'OneLogin parameter or macro',
  users: [
    { target: 'userName', source: '{$parameters.scimusername}', isMatching: true },
    { target: 'name.givenName', source: '{$user.firstname}' },
    { target: 'name.familyName', source: '{$user.lastname}' },
    { target: 'displayName', source: '{$user.display_name}' },
    { target: 'name.formatted', source: '{$user.display_name}' },
    { target: 'emails[type eq "work"].value', source: '{$user.email}' },
    { target: 'title', source: '{$parameters.title}' },
    { target: `${ENTERPRISE}:department`, source: '{$parameters.department}' },
  ],
  groups: [
    { target: 'displayName', source: 'the name of the group', isMatching: true },
    { target: 'members', source: 'its members', hint: 'Rules decide who is in which group.' },
  ],
  startSteps: [
    'Open *Provisioning*, choose *Enable provisioning*, and save.',
    'For groups, open *Parameters*, *Groups*, and choose *Include in User Provisioning*. Then make a rule under *Rules*.',
    'Under *Access* or *Users*, give one or two people the application. If *Provisioning* asks for the approval of an administrator, approve them under *Users*.',
  ],
  sendsUser: 'Give somebody the application, and approve it if *Provisioning* asks for that.',
  sendsGroup: 'Make a rule that puts somebody into a group.',
  success: [
    'The state of a person under *Users* in the application becomes *Provisioned*.',
    'The person appears here within a minute.',
  ],
  notes: [
    'OneLogin deletes a user who leaves the application, unless you choose *Suspend* under *Provisioning*. It does not delete groups.',
  ],
}
