/** The extensions of a tenant cannot be changed now; the message says why. */
export class ExtensionConflict extends Error {}
