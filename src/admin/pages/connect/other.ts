/** Any client of SCIM 2.0 (RFC 7644). */
import type { ConnectGuide } from './guide.ts'

export const OTHER: ConnectGuide = {
  id: 'other',
  name: 'Other SCIM client',
  application: 'Any client of SCIM 2.0',
  credentialName: 'SCIM client',
  credentials: ['secret', 'token'],
  credentialHint:
    'A client secret is for clients that ask for a token endpoint (OAuth 2.0 client credentials), a token for those that send `Authorization: Bearer`.',
  mayOnlyRead: true,
  addSteps: [
    'Choose SCIM 2.0 in the client. Version 1.1 is another protocol.',
    'A client that only reads users and groups needs the scope *Read only*. Nothing below the first request is seen of it.',
  ],
  fieldSteps: ['Enter the values that the client asks for. It may call them something else.'],
  fields: [
    { label: 'SCIM base URL', value: 'tenantUrl' },
    { label: 'Bearer token', value: 'token', with: 'token' },
    { label: 'Token endpoint', value: 'tokenUrl', with: 'secret' },
    { label: 'Client ID', value: 'clientId', with: 'secret' },
    { label: 'Client secret', value: 'secret', with: 'secret' },
    {
      label: 'Scope',
      value: { copy: 'scim' },
      with: 'secret',
      hint: 'Optional. For reads only: `scim:read`.',
    },
  ],
  testStep: 'Test the connection in the client, if it can.',
  mappingSteps: [
    '`/Schemas`, `/ResourceTypes` and `/ServiceProviderConfig` below the base URL describe every attribute and feature.',
    'Users are unique by `userName`, groups by `displayName`; both are compared without regard to case.',
  ],
  sourceTitle: 'What it should hold',
  users: [
    { target: 'userName', source: 'the name to sign in with', isMatching: true, hint: 'Required.' },
    { target: 'externalId', source: "the client's own id of the user" },
    { target: 'active', source: 'whether the user may sign in' },
    { target: 'displayName', source: 'the name to show' },
    { target: 'name.givenName', source: 'the first name' },
    { target: 'name.familyName', source: 'the last name' },
    { target: 'emails[type eq "work"].value', source: 'the address at work' },
  ],
  groups: [
    { target: 'displayName', source: 'the name of the group', isMatching: true, hint: 'Required.' },
    { target: 'externalId', source: "the client's own id of the group" },
    { target: 'members', source: 'the ids that this server gave the users' },
  ],
  startSteps: ['Start provisioning in the client, with one or two people to begin with.'],
  sendsUser: 'Start provisioning in the client.',
  sendsGroup: 'Let the client send a group.',
  success: ['The people appear here as soon as the client has sent them.'],
  notes: ['While a client is under development, the profile `strict` under *Settings* finds its mistakes.'],
}
