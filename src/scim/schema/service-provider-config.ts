/**
 * What this service provider supports, as data (RFC 7643 §5).
 */
import { MAX_PAGE_SIZE } from '../list-response.ts'
import { SERVICE_PROVIDER_CONFIG_SCHEMA } from '../urn.ts'

export const SERVICE_PROVIDER_CONFIG = {
  schemas: [SERVICE_PROVIDER_CONFIG_SCHEMA],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: MAX_PAGE_SIZE },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description:
        'A token that an administrator generates in the dashboard, sent as "Authorization: Bearer".',
      specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
      primary: true,
    },
  ],
} as const
