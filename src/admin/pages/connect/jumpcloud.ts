/** JumpCloud: "Identity Management using a Custom SCIM Integration". */
import type { ConnectGuide } from './guide.ts'

export const JUMPCLOUD: ConnectGuide = {
  id: 'jumpcloud',
  name: 'JumpCloud',
  application: 'Your application, with Custom SCIM identity management',
  credentialName: 'JumpCloud',
  credentials: ['token'],
  addSteps: [
    'In the JumpCloud Admin Portal, open *SSO Applications*. Choose your application, or press *Add New Application* and choose *Custom Application*.',
    'Open the tab *Identity Management*, and choose *Custom SCIM* if it is offered.',
  ],
  fieldSteps: ['Under *Configuration settings*, choose or enter:'],
  fields: [
    { label: 'SCIM Version', value: { choose: 'SCIM 2.0' } },
    { label: 'Base URL', value: 'tenantUrl' },
    { label: 'Token Key', value: 'token' },
    {
      label: 'Test User Email',
      value: { choose: 'an address that is not in use' },
      hint: 'JumpCloud creates this user for its test, and removes it.',
    },
  ],
  testStep: 'Press *Test Connection*. It creates a user and a group, changes them, and deletes both.',
  mappingSteps: ['JumpCloud has fixed mappings for a custom integration. There is nothing to set.'],
  sourceTitle: 'JumpCloud property',
  users: [
    { target: 'userName', source: 'username', isMatching: true },
    { target: 'name.givenName', source: 'firstname' },
    { target: 'name.familyName', source: 'lastname' },
    { target: 'displayName', source: 'displayname' },
    { target: 'emails[type eq "work"].value', source: 'email' },
    { target: 'title', source: 'jobTitle' },
    { target: 'active', source: 'the state of the user' },
  ],
  groups: [
    { target: 'displayName', source: 'name', isMatching: true },
    { target: 'members', source: 'its members' },
  ],
  startSteps: [
    'Choose *Enable management of User Groups and Group Membership in this application*, press *Activate*, then *Save*.',
    'On the tab *User Groups*, choose the groups to send. Their members are sent with them.',
  ],
  sendsUser: 'On the tab *User Groups*, choose a group with members.',
  sendsGroup: 'On the tab *User Groups*, choose a group with members.',
  success: [
    'JumpCloud says that the identity management integration has been verified.',
    'The members of a chosen group appear here within a few minutes.',
  ],
  notes: [
    'JumpCloud disables a user who leaves the application, and deletes one who is deleted there.',
    'It does not create a group without members.',
    'The test writes: it counts below as the first user and the first group.',
  ],
}
