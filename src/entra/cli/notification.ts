/**
 * Notifies the administrator of a quarantine by email through an SMTP server, by a POST to a webhook, or both. A failed
 * delivery is reported and does not stop the job.
 */
import type { NotificationConfig } from '../documents/job-document.ts'
import type { Notification } from '../engine/provisioning-job.ts'

const DELIVERY_TIMEOUT_MS = 15_000

/** Creates the function that the job calls. `report` receives a sentence about each delivery. */
export function notifier(
  config: NotificationConfig,
  report: (text: string) => void,
): (notification: Notification) => Promise<void> {
  return async (notification) => {
    const deliveries: [string, () => Promise<unknown>][] = []
    const { email, smtp, webhook } = config
    if (email !== undefined && smtp !== undefined)
      deliveries.push([email, () => sendMail(email, resolveVariable(smtp), notification)])
    if (webhook !== undefined) deliveries.push([webhook, () => postWebhook(webhook, notification)])
    for (const [to, deliver] of deliveries) {
      try {
        await deliver()
        report(`Notification sent to ${to}`)
      } catch (error) {
        report(`Notification to ${to} failed: ${error instanceof Error ? error.message : error}`)
      }
    }
  }
}

async function sendMail(to: string, smtp: string, notification: Notification): Promise<void> {
  const url = new URL(smtp)
  url.searchParams.set('connectionTimeout', String(DELIVERY_TIMEOUT_MS))
  // Loaded on demand, because it is by far the largest dependency.
  const { default: nodemailer } = await import('nodemailer')
  const transport = nodemailer.createTransport(url.toString())
  try {
    const { subject, text } = describeNotification(notification)
    await transport.sendMail({
      from: 'Entra emulator <azure-noreply@entra-emulator.example>',
      to,
      subject,
      text,
    })
  } finally {
    transport.close()
  }
}

async function postWebhook(webhook: string, notification: Notification): Promise<void> {
  const response = await fetch(webhook, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(notification),
    signal: AbortSignal.timeout(DELIVERY_TIMEOUT_MS),
  })
  await response.arrayBuffer()
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
}

function describeNotification({ jobId, tenantUrl, quarantine }: Notification): {
  subject: string
  text: string
} {
  const nextAttempt = new Date(quarantine.nextAttempt).toISOString()
  return {
    subject: `Provisioning job "${jobId}" is in quarantine: ${quarantine.reason}`,
    text: `Tenant URL: ${tenantUrl}\nReason: ${quarantine.reason}\n${quarantine.error}\nNext attempt: ${nextAttempt}\n`,
  }
}

/** Resolves `$NAME` to the value of an environment variable. */
function resolveVariable(text: string): string {
  if (!text.startsWith('$')) return text
  const value = process.env[text.slice(1)]
  if (value === undefined) throw new Error(`${text.slice(1)} is not set`)
  return value
}
