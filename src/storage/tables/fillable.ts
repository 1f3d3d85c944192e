/** Which tenants the maintenance may complete: those with rows that lack what an earlier version did not store. */
import { sql } from 'drizzle-orm'

/** The condition on `tenants`. A copy gets what its rows lack with them, and the rows of a deleted tenant go away. */
export const IS_FILLABLE = sql`state NOT IN ('moving', 'arriving', 'moved', 'deleting')`
