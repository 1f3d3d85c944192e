/**
 * SCIMMY with its routers on Node.js, in memory: the smallest handlers of its documentation, which leave filters, sorting
 * and pages to SCIMMY. FILE has the users and groups at the start as JSON, TOKEN is the client's, PORT the port on
 * 127.0.0.1.
 */
// @ts-nocheck -- the packages are installed into a folder of their own: packages.ts
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import process from 'node:process'
import express from 'express'
import SCIMMY from 'scimmy'
import SCIMMYRouters from 'scimmy-routers'

const { FILE, PORT, TOKEN } = process.env
const { users, groups } = JSON.parse(readFileSync(FILE, 'utf8'))

function declare(Resource, stored) {
  const now = new Date()
  const meta = { created: now, lastModified: now }
  const all = new Map(stored.map((one) => [one.id, { ...one, meta }]))
  SCIMMY.Resources.declare(Resource)
    .ingress(({ id = randomUUID() }, data) => {
      const lastModified = new Date()
      const created = all.get(id)?.meta.created ?? lastModified
      const one = { ...JSON.parse(JSON.stringify(data)), id, meta: { created, lastModified } }
      all.set(id, one)
      return one
    })
    .egress(({ id, filter }) => {
      if (id !== undefined) return all.get(id)
      return filter === undefined ? [...all.values()] : filter.match([...all.values()])
    })
    .degress(({ id }) => all.delete(id))
}

declare(SCIMMY.Resources.User, users)
declare(SCIMMY.Resources.Group, groups)
SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser)
const app = express()
app.get('/healthz', (_request, response) => response.send('ok'))
const handler = (request) => {
  if (request.header('Authorization') !== `Bearer ${TOKEN}`) throw new Error('the token is wrong')
  return 'bench'
}
app.use('/scim/v2', new SCIMMYRouters({ type: 'bearer', handler }))
app.listen(Number(PORT), '127.0.0.1')
