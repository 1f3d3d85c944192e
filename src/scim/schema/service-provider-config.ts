/**
 * The service provider configuration (RFC 7643 §5).
 */
import {
  CURSOR_TIMEOUT_SECONDS,
  DEFAULT_PAGE_SIZE,
  MAX_BODY_BYTES,
  MAX_BULK_OPERATIONS,
  MAX_PAGE_SIZE,
} from '../limits.ts'
import { SERVICE_PROVIDER_CONFIG_SCHEMA } from '../urn.ts'

export const SERVICE_PROVIDER_CONFIG = {
  schemas: [SERVICE_PROVIDER_CONFIG_SCHEMA],
  patch: { supported: true },
  bulk: { supported: true, maxOperations: MAX_BULK_OPERATIONS, maxPayloadSize: MAX_BODY_BYTES },
  filter: { supported: true, maxResults: MAX_PAGE_SIZE },
  changePassword: { supported: false },
  sort: { supported: true },
  etag: { supported: true },
  // RFC 9865 §4. Index-based pagination is the default, because most clients support nothing else.
  pagination: {
    cursor: true,
    index: true,
    defaultPaginationMethod: 'index',
    defaultPageSize: DEFAULT_PAGE_SIZE,
    maxPageSize: MAX_PAGE_SIZE,
    cursorTimeout: CURSOR_TIMEOUT_SECONDS,
  },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description:
        'A token that an administrator generates in the dashboard, sent as "Authorization: Bearer".',
      specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
      primary: true,
    },
    {
      type: 'oauth2',
      name: 'OAuth 2.0 client credentials',
      description:
        'An access token that the client gets at the token endpoint, for a client secret or an assertion.',
      specUri: 'https://www.rfc-editor.org/rfc/rfc6749',
      primary: false,
    },
  ],
} as const
