/**
 * Profiles: which deviations from RFC 7643 and RFC 7644 a tenant accepts. A profile is data and is passed like the
 * resource type; the deviations themselves are the functions of compatibility/, and nothing else asks a profile.
 * docs/profiles.md says of each deviation what is sent, by whom, and since when; a test compares the two.
 */

/** Every deviation. Each is one doc comment in compatibility/. */
export const DEVIATIONS = [
  // Values: compatibility/values.ts
  'readsBooleansFromText',
  'readsReferencesFromText',
  'readsEmptyTextAsNoReference',
  'readsObjectsFromJsonText',
  'readsComplexFromList',
  'readsExternalIdFromNumber',
  'readsQualifiedKeys',
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
] as const

export type Deviation = (typeof DEVIATIONS)[number]

export const PROFILE_NAMES = ['tolerant', 'strict', 'entra', 'okta'] as const

export type ProfileName = (typeof PROFILE_NAMES)[number]

/** How far a tenant deviates from the RFCs. */
export interface Profile {
  readonly name: ProfileName
  /** True for each deviation that holds. */
  readonly deviations: Readonly<Record<Deviation, boolean>>
}

/** The shipped profiles, by name. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  /** Everything that a client in use is known to need. The default of a tenant. */
  tolerant: profile('tolerant', DEVIATIONS),
  /** RFC 7643 and RFC 7644 to the letter: what they do not allow is refused. */
  strict: profile('strict', []),
  /** What Microsoft Entra ID sends in both of its dialects, Microsoft's validator and Postman collection included. */
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
  /** What Okta sends, its specification test included. */
  okta: profile('okta', ['ignoresReadOnlyKeys', 'showsEmptyMembers']),
}

/** True of the name of a shipped profile. */
export function isProfileName(name: unknown): name is ProfileName {
  return PROFILE_NAMES.some((known) => known === name)
}

function profile(name: ProfileName, held: readonly Deviation[]): Profile {
  const entries = DEVIATIONS.map((deviation) => [deviation, held.includes(deviation)])
  return { name, deviations: Object.fromEntries(entries) as Profile['deviations'] }
}
