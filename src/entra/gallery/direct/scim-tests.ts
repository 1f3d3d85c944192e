/** The 11 tests that send requests to the endpoint without the provisioning service, as rows. */

import type { GalleryTest, Verdict } from '../gallery-test.ts'
import { validateCredentials, validateFederation } from './authentication.ts'
import { createDirectly, updateDirectly } from './create-and-update.ts'
import { updateManager } from './manager.ts'
import { updateToNull } from './null-update.ts'
import { readPages } from './pagination.ts'
import { discoverSchemas } from './schema-discoverability.ts'

const ROWS: readonly Omit<GalleryTest, 'workflow'>[] = [
  {
    name: 'Schema_Discoverability_Test',
    category: 'mandatory',
    requests: ['GET /Schemas'],
    passes: 'every mapped attribute, such as emails[type eq "work"].value, is among the flattened attributes',
    run: discoverSchemas,
  },
  {
    name: 'SCIM_Null_Update_Test',
    category: 'mandatory',
    requests: ['POST /Users', 'GET /Schemas', 'PATCH /Users/{id} (replace "", then null)', 'GET /Users/{id}'],
    passes: 'both requests give 200 or 204 and remove every optional attribute',
    notConfirmed:
      'that "PatchBodyFormat" corresponds to the old dialect: with it, each attribute is an operation of its own',
    run: updateToNull,
  },
  {
    name: 'SCIM_User_Create_Test',
    category: 'mandatory',
    requests: ['POST /Users'],
    passes: '200 or 201, an id, and the userName as it was sent',
    run: (context) => createDirectly(context, 'User'),
  },
  {
    name: 'SCIM_User_Update_Test',
    category: 'mandatory',
    requests: ['POST /Users', 'PATCH /Users/{id} (every single-valued attribute)', 'GET /Users/{id}'],
    passes: '200 or 204, and every attribute has its new value',
    run: (context) => updateDirectly(context, 'User'),
  },
  {
    name: 'SCIM_Group_Create_Test',
    category: 'mandatory',
    needs: 'groups',
    requests: ['POST /Groups'],
    passes: '200 or 201, an id, and the displayName as it was sent',
    run: (context) => createDirectly(context, 'Group'),
  },
  {
    name: 'SCIM_Group_Update_Test',
    category: 'mandatory',
    needs: 'groups',
    requests: ['POST /Groups', 'PATCH /Groups/{id} (every single-valued attribute)', 'GET /Groups/{id}'],
    passes: '200 or 204, and every attribute has its new value',
    run: (context) => updateDirectly(context, 'Group'),
  },
  {
    name: 'Validate_Credentials_Test',
    category: 'mandatory',
    needs: 'client credentials',
    requests: ['POST token endpoint (client_secret)', 'GET /Users?startIndex=1&count=1'],
    passes: '2xx with an access_token, expires_in of 60 to 360 whole minutes, and 2xx with the token',
    run: (context) => withGrant(context.clientCredentials, (grant) => validateCredentials(context, grant)),
  },
  {
    name: 'Federated_Identity_Test',
    category: 'mandatory',
    needs: 'federation',
    requests: ['POST token endpoint (client_assertion, baseAddress)'],
    passes: '2xx with an access_token',
    notConfirmed: 'the two flows for Google’s token endpoints are left out',
    run: (context) => withGrant(context.federation, (grant) => validateFederation(context, grant)),
  },
  {
    name: 'SCIM_User_Pagination_Test',
    category: 'mandatory',
    requests: ['POST /Users (until there are 11)', 'GET /Users?startIndex=…&count=5'],
    passes: 'at least two pages, each with 200 and the expected startIndex (1, 6, 11, …)',
    run: (context) => readPages(context, 'User'),
  },
  {
    name: 'SCIM_Group_Pagination_Test',
    category: 'optional',
    needs: 'groups',
    requests: ['POST /Groups (until there are 11)', 'GET /Groups?startIndex=…&count=5'],
    passes: 'at least two pages, each with 200 and the expected startIndex (1, 6, 11, …)',
    run: (context) => readPages(context, 'Group'),
  },
  {
    name: 'SCIM_Update_Manager_Test',
    category: 'mandatory',
    needs: 'manager',
    requests: ['POST /Users', 'PATCH /Users/{id} (Add, replace, replace with "")', 'GET /Users/{id}'],
    passes: 'each request gives 200 or 204, and the manager is the expected one, then none',
    run: updateManager,
  },
]

/** The suite skips a test whose grant is missing, so that this cannot happen. */
function withGrant<Grant>(
  grant: Grant | undefined,
  run: (grant: Grant) => Promise<Verdict>,
): Promise<Verdict> {
  if (grant === undefined) throw new Error('the test needs a grant')
  return run(grant)
}

export const SCIM_TESTS: readonly GalleryTest[] = ROWS.map((row) => ({
  ...row,
  workflow: 'SCIMTests_Workflow.json',
}))
