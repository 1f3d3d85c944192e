/** Google Workspace: "About automated user provisioning", and the pages of the applications in its catalogue. */
import type { ConnectGuide } from './guide.ts'

export const GOOGLE: ConnectGuide = {
  id: 'google',
  name: 'Google Workspace',
  application: 'Application of its catalogue that has autoprovisioning',
  credentialName: 'Google Workspace',
  credentials: ['token'],
  addSteps: [
    'In the Google Admin console, open *Apps*, *Web and mobile apps*. Single sign-on of the application must be set up first.',
    'Open the application, and under *Autoprovisioning* press *Configure autoprovisioning*. Google offers it for applications of its catalogue only.',
  ],
  fieldSteps: ['Enter the values, and press *Continue* after each.'],
  fields: [
    { label: 'Access token', value: 'token' },
    {
      label: 'Endpoint URL',
      value: 'tenantUrl',
      hint: 'Some applications have a fixed address: they cannot be connected to this server.',
    },
  ],
  testStep: 'Google tests the connection when you press *Continue*.',
  mappingSteps: ['Under *App attributes*, map every attribute that is marked with an asterisk.'],
  sourceTitle: 'Google directory attribute',
  users: [
    { target: 'userName', source: 'Basic Information > Username', isMatching: true },
    { target: 'name.givenName', source: 'Basic Information > First name' },
    { target: 'name.familyName', source: 'Basic Information > Last name' },
    { target: 'emails[type eq "work"].value', source: 'Basic Information > Primary email' },
    { target: 'active', source: 'the state of the user', hint: 'Google sends it without a mapping.' },
  ],
  startSteps: [
    'Under *Provisioning scope*, choose the groups whose members are sent; without one, everybody who has the application is sent.',
    'Choose how long people keep their access after the application is turned off for them, and press *Finish*.',
    'Turn *Autoprovisioning* on, and confirm.',
  ],
  sendsUser: 'Turn *Autoprovisioning* on.',
  success: [
    'The application shows *Autoprovisioning* as *Active*, with the number of users created.',
    'The people in scope appear here; Google may take some hours for the first ones.',
  ],
  notes: [
    'Google sends no groups.',
    'A suspended user is disabled. A deleted user is disabled first, and deleted after the days that you choose.',
  ],
}
