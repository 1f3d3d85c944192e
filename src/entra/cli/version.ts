/** The version of the package. */
import packageDocument from '../../../package.json' with { type: 'json' }

export const { version } = packageDocument
