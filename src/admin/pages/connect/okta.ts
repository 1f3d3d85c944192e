/**
 * Okta: an integration that an administrator makes. Okta: "Add SCIM provisioning to app integrations", "Okta SCIM default
 * attributes".
 */
import type { ConnectGuide } from './guide.ts'

export const OKTA: ConnectGuide = {
  id: 'okta',
  name: 'Okta',
  application: 'App integration with SAML 2.0 or SWA',
  credentialName: 'Okta',
  // Okta has no client credentials for SCIM: https://developer.okta.com/docs/concepts/scim/faqs
  credentials: ['token'],
  addSteps: [
    'In the Okta Admin Console, open *Applications*, *Applications*. Choose your application, or press *Create App Integration*. SCIM is offered with *SAML 2.0* and *SWA - Secure Web Authentication*.',
    'On the tab *General*, press *Edit* in *App Settings*, choose *SCIM* or *Enable SCIM provisioning*, and save.',
  ],
  fieldSteps: ['Open the tab *Provisioning*, then *Integration*, and press *Edit*.'],
  fields: [
    { label: 'SCIM connector base URL', value: 'tenantUrl' },
    { label: 'Unique identifier field for users', value: { copy: 'userName' } },
    {
      label: 'Supported provisioning actions',
      value: { choose: 'Push New Users, Push Profile Updates, Push Groups' },
    },
    { label: 'Authentication Mode', value: { choose: 'HTTP Header' } },
    {
      label: 'Authorization',
      value: 'token',
      hint: 'If the field shows *Bearer* already, paste the token alone.',
    },
  ],
  testStep: 'Press *Test Connector Configuration*, then *Save*.',
  mappingSteps: [
    'Open *Provisioning*, *To App*, and enable *Create Users*, *Update User Attributes* and *Deactivate Users*.',
    'Compare *Attribute Mappings* on the same page with this table.',
  ],
  sourceTitle: 'Okta attribute or setting',
  users: [
    { target: 'userName', source: 'Configured in Sign On settings', isMatching: true },
    { target: 'name.givenName', source: 'user.firstName' },
    { target: 'name.familyName', source: 'user.lastName' },
    { target: 'emails[type eq "work"].value', source: 'user.email' },
    { target: 'displayName', source: 'user.displayName' },
    { target: 'title', source: 'user.title' },
    {
      target: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department',
      source: 'user.department',
    },
    { target: 'externalId', source: 'the id of the user', hint: 'Okta sends it without a mapping.' },
    { target: 'active', source: 'the state of the user', hint: 'Okta sends it without a mapping.' },
  ],
  groups: [
    { target: 'displayName', source: 'the name of the group', isMatching: true },
    { target: 'members', source: 'its members', hint: 'Only people who are assigned to the application.' },
  ],
  startSteps: [
    'On the tab *Assignments*, assign one or two people. Okta sends them at once.',
    'On the tab *Push Groups*, choose the groups to send.',
  ],
  sendsUser: 'On the tab *Assignments*, assign somebody.',
  sendsGroup: 'On the tab *Push Groups*, choose a group.',
  success: [
    'Okta says that it has verified the connector.',
    'A person who is assigned appears here within a minute.',
  ],
  notes: [
    'Okta never deletes users. `active` becomes false when a user is disabled, leaves the application or is deleted.',
    'Do not assign a group to the application and push the same group: Okta advises against it.',
  ],
}
