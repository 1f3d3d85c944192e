/** Users and groups of an export, in one form for all formats. Types only. */

export type ResourceTypeName = 'User' | 'Group'

/** The attributes that are compared, by their SCIM paths. */
export type Attributes = Readonly<Record<string, string | boolean>>

/** A member as an export names it. */
export interface ExportedMember {
  /** The id in the source. */
  readonly id: string | undefined
  readonly userName: string | undefined
}

export interface Exported {
  readonly type: ResourceTypeName
  readonly line: number
  /** The id in the source: Entra's object id, or the id of another SCIM server. */
  readonly sourceId: string | undefined
  /** What `externalId` may be: the mailNickname, the object id, or the externalId of another server. */
  readonly externalIds: readonly string[]
  /** What `nativeObjectId` may be. */
  readonly objectId: string | undefined
  readonly attributes: Attributes
  /** Of a group; undefined if the export does not tell them. */
  readonly members?: readonly ExportedMember[]
}
