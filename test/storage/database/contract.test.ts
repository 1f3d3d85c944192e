import { env } from 'cloudflare:workers'
import { describeDatabase } from '../../support/database-contract.ts'

describeDatabase('D1 in workerd', () => env.DB)
