/**
 * Profiles: the deviations from RFC 7643 and RFC 7644 that a tenant accepts. A profile is data and is passed like the
 * resource type. Only the functions in compatibility/ read it, one for each deviation. docs/protocol/profiles.md documents which
 * clients need each deviation; a test compares it with this file.
 */

/** All deviations. Each is documented at its function in compatibility/. */
export const DEVIATIONS = [
  // Values: compatibility/values.ts
  'readsBooleansFromText',
  'readsReferencesFromText',
  'readsEmptyTextAsNoReference',
  'readsObjectsFromJsonText',
  'readsComplexFromList',
  'readsExternalIdFromNumber',
  'readsQualifiedKeys',
  'ignoresRepeatedKeys',
  'readsEmptyTextAsUnassigned',
  'allowsLineBreaksInBinary',
  'allowsLooseBase64',
  'ignoresUnknownAttributes',
  'ignoresUnknownSchemas',
  'ignoresRepeatedSchemas',
  'allowsMissingSchemas',
  'allowsUndeclaredExtensions',
  // PATCH: compatibility/patch.ts and compatibility/disabling.ts
  'readsOpInAnyCase',
  'readsPathsFromKeys',
  'readsEmptyPathAsNone',
  'trimsPaths',
  'ignoresReadOnlyKeys',
  'unwrapsPatchValues',
  'wrapsSingleValues',
  'removesGivenValues',
  'removesAbsentValues',
  'createsSelectedValues',
  'mergesSelectedValues',
  'allowsNoOperations',
  'disablesInPart',
  // Filters and lists: compatibility/lists.ts
  'comparesSelectedValues',
  'comparesReferencesByValue',
  'readsUnquotedText',
  'convertsFilterValues',
  'ignoresEmptyParameters',
  'readsSortOrderInAnyCase',
  'readsNumbersFromText',
  'readsLooseNumbers',
  'splitsNamesFromText',
  'allowsBothProjections',
  // Bulk: compatibility/bulk.ts
  'readsMethodInAnyCase',
  'readsZeroAsNoErrorLimit',
  'readsEmptyTextAsNoBulkId',
  // HTTP: compatibility/http.ts
  'readsEndpointsInAnyCase',
  'ignoresExtraSlashes',
  'allowsMissingContentType',
  'namesContentTypeWithoutBody',
  'showsEmptyMembers',
  'readsTokenWithoutScheme',
] as const

export type Deviation = (typeof DEVIATIONS)[number]

export const PROFILE_NAMES = ['tolerant', 'strict', 'entra', 'okta'] as const

export type ProfileName = (typeof PROFILE_NAMES)[number]

/** A named set of deviations. */
export interface Profile {
  readonly name: ProfileName
  /** True for each deviation that the profile accepts. */
  readonly deviations: Readonly<Record<Deviation, boolean>>
}

/** The shipped profiles, by name. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  /** All deviations that any known client needs. The default. */
  tolerant: profile('tolerant', DEVIATIONS),
  /** RFC 7643 and RFC 7644 to the letter. */
  strict: profile('strict', []),
  /** The deviations of both dialects of Microsoft Entra ID, and of Microsoft's validator and Postman collection. */
  entra: profile('entra', [
    'readsBooleansFromText',
    'readsReferencesFromText',
    'readsEmptyTextAsNoReference',
    'readsObjectsFromJsonText',
    'readsComplexFromList',
    'readsQualifiedKeys',
    'readsEmptyTextAsUnassigned',
    'ignoresUnknownAttributes',
    'ignoresUnknownSchemas',
    'allowsUndeclaredExtensions',
    'readsOpInAnyCase',
    'readsPathsFromKeys',
    'wrapsSingleValues',
    'removesGivenValues',
    'removesAbsentValues',
    'createsSelectedValues',
    'allowsNoOperations',
    'disablesInPart',
    'comparesSelectedValues',
    'comparesReferencesByValue',
    'readsUnquotedText',
    'convertsFilterValues',
    'readsEndpointsInAnyCase',
    'ignoresExtraSlashes',
    'showsEmptyMembers',
  ]),
  /** The deviations of Okta, including its specification test. */
  okta: profile('okta', ['ignoresReadOnlyKeys', 'showsEmptyMembers', 'readsTokenWithoutScheme']),
}

/** True for the name of a shipped profile. */
export function isProfileName(name: unknown): name is ProfileName {
  return PROFILE_NAMES.some((known) => known === name)
}

function profile(name: ProfileName, held: readonly Deviation[]): Profile {
  const entries = DEVIATIONS.map((deviation) => [deviation, held.includes(deviation)])
  return { name, deviations: Object.fromEntries(entries) as Profile['deviations'] }
}
