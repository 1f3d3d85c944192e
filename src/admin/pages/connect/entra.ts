/**
 * Microsoft Entra ID: the application of the gallery, and one that is made by hand. Microsoft: "Configure Cisco User Management
 * for Secure Access for automatic user provisioning", "Tutorial: Develop a SCIM endpoint for user provisioning".
 */
import type { ConnectGuide, GuideField, MappingRow } from './guide.ts'

const NATIVE_OBJECT_ID = 'urn:ietf:params:scim:schemas:extension:ciscoumbrella:2.0:User:nativeObjectId'

const FIELDS: readonly GuideField[] = [
  { label: 'Tenant URL', value: 'tenantUrl' },
  { label: 'Secret Token', value: 'token', with: 'token' },
  { label: 'Token Endpoint', value: 'tokenUrl', with: 'secret' },
  { label: 'Client Identifier', value: 'clientId', with: 'secret' },
  { label: 'Client Secret', value: 'secret', with: 'secret' },
]

const GROUPS: readonly MappingRow[] = [
  { target: 'displayName', source: 'displayName', isMatching: true },
  { target: 'externalId', source: 'objectId' },
  { target: 'members', source: 'members' },
]

const USERS: readonly MappingRow[] = [
  {
    target: 'userName',
    source: 'userPrincipalName',
    isMatching: true,
    hint: 'For guests: `originalUserPrincipalName`.',
  },
  { target: 'externalId', source: 'mailNickname' },
  { target: 'active', source: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
  { target: 'displayName', source: 'displayName' },
  { target: 'name.givenName', source: 'givenName' },
  { target: 'name.familyName', source: 'surname' },
  { target: 'name.formatted', source: 'Join(" ", [givenName], [surname])' },
]

export const ENTRA_GALLERY: ConnectGuide = {
  id: 'entra',
  name: 'Microsoft Entra ID',
  application: 'Cisco User Management for Secure Access',
  credentialName: 'Microsoft Entra ID',
  credentials: ['token', 'secret'],
  credentialHint:
    'Generate a token if the application asks for a *Secret Token*, and a client secret if it asks for a *Token Endpoint*.',
  canFederate: true,
  addSteps: [
    'Sign in to the *Microsoft Entra admin center* with the role Cloud Application Administrator or a higher one.',
    'Open *Entra ID*, *Enterprise apps*, and press *New application*.',
    'Search the gallery for `Cisco User Management for Secure Access`, and press *Create*.',
    'Open *Users and groups* in the application, and assign one or two people to begin with. The members of a group within an assigned group are not sent: assign the inner group as well.',
  ],
  fieldSteps: ['In the application, open *Provisioning*, and press *New configuration*.'],
  fields: FIELDS,
  testStep: 'Press *Test connection*, then *Create*.',
  mappingSteps: [
    'Open *Attribute mapping*, and compare the mappings of users and of groups with these tables.',
    'Leave the matching attributes as they are: an existing user or group is found by them.',
  ],
  sourceTitle: 'Microsoft Entra attribute or expression',
  users: [
    ...USERS,
    {
      target: NATIVE_OBJECT_ID,
      source: 'extension_…_objectGUID',
      hint: 'Only for devices that report the on-premises objectGUID.',
    },
  ],
  groups: GROUPS,
  startSteps: [
    'On *Overview*, open *Properties*: enter an address for notifications, and turn on the prevention of accidental deletions.',
    'Press *Start provisioning*. To see one person at once, use *Provision on demand*.',
  ],
  sendsUser: 'Press *Start provisioning*.',
  sendsGroup: 'Assign a group to the application. It is sent after its members.',
  older: [
    '*New configuration* was *Get started*, with *Provisioning Mode* set to *Automatic*.',
    'The fields were under *Admin Credentials*, the mappings under *Mappings*.',
    '*Start provisioning* was *Provisioning Status*, set to *On* under *Settings*.',
  ],
  success: [
    'Entra says that the credentials are authorized to enable provisioning.',
    'The first cycle begins at once. The next ones follow about every 40 minutes, with the changes only.',
    'The *Provisioning logs* in Entra have one *Create* for each person, with the status *Success*.',
  ],
  notes: [
    'Entra disables people who lose their access, and deletes them 30 days after their deletion there.',
    'Entra does not send an attribute that was cleared.',
  ],
}

export const ENTRA_CUSTOM: ConnectGuide = {
  ...ENTRA_GALLERY,
  id: 'entra-custom',
  name: 'Microsoft Entra ID, custom application',
  application: 'Application that is not in the gallery',
  credentials: ['token', 'secret'],
  addSteps: [
    'Sign in to the *Microsoft Entra admin center* with the role Cloud Application Administrator or a higher one.',
    'Open *Entra ID*, *Enterprise apps*, *New application*, and press *Create your own application*.',
    "Choose *Integrate any other application you don't find in the gallery (Non-gallery)*, enter a name, and press *Create*.",
    'Open *Users and groups* in the application, and assign one or two people to begin with.',
  ],
  mappingSteps: [
    'Open *Attribute mapping*. A custom application begins with more mappings than these: this server stores the core and the enterprise attributes too, and names others as ignored in the provisioning log.',
    'To map an attribute of an extension, open *Show advanced options*, *Edit attribute list*, and add it with its full URN.',
  ],
  users: [
    ...USERS,
    { target: 'title', source: 'jobTitle' },
    { target: 'emails[type eq "work"].value', source: 'mail' },
    { target: 'preferredLanguage', source: 'preferredLanguage' },
    {
      target: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department',
      source: 'department',
    },
    {
      target: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber',
      source: 'employeeId',
    },
    { target: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager', source: 'manager' },
  ],
  notes: [
    ...ENTRA_GALLERY.notes,
    'Entra has two forms of PATCH. With `?aadOptscim062020` at the end of the *Tenant URL* it sends the newer one. This server accepts both.',
  ],
}
