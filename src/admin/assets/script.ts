/**
 * The script of the dashboard. All pages work without it. It adds copy buttons, times in the reader's time zone, and the
 * refresh of sections marked data-live.
 */
export const SCRIPT = `'use strict'
const REFRESH_MS = 15000
const FORMATS = {
  moment: { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' },
  hour: { hour: '2-digit', minute: '2-digit' },
  day: { month: 'short', day: 'numeric', timeZone: 'UTC' },
}

function localTimes(root) {
  for (const time of root.querySelectorAll('time[data-format]')) {
    const options = FORMATS[time.dataset.format]
    if (options) time.textContent = new Intl.DateTimeFormat(undefined, options).format(new Date(time.dateTime))
  }
}

function copyButtons(root) {
  for (const button of root.querySelectorAll('[data-copy]')) {
    if (!navigator.clipboard) continue
    button.hidden = false
    button.addEventListener('click', async () => {
      const field = document.getElementById(button.dataset.copy)
      field.select()
      await navigator.clipboard.writeText(field.value)
      button.textContent = 'Copied'
      announce(button.getAttribute('aria-label').replace('Copy', 'Copied'))
      setTimeout(() => (button.textContent = 'Copy'), 2000)
    })
  }
}

function announce(text) {
  let region = document.getElementById('announcement')
  if (!region) {
    region = Object.assign(document.createElement('p'), { id: 'announcement', className: 'visually-hidden' })
    region.setAttribute('role', 'status')
    document.body.append(region)
  }
  region.textContent = text
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' } })
  if (!answer.ok || answer.redirected) return false
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  for (const section of document.querySelectorAll('[data-live]')) {
    const fresh = page.getElementById(section.id)
    if (!fresh || section.contains(document.activeElement)) continue
    const open = [...section.querySelectorAll('details[open][id]')].map((details) => details.id)
    localTimes(fresh)
    section.replaceChildren(...fresh.childNodes)
    for (const id of open) document.getElementById(id)?.setAttribute('open', '')
  }
  return true
}

function liveSwitch() {
  const button = document.getElementById('live')
  if (!button) return
  let isOn = true
  button.hidden = false
  button.addEventListener('click', () => {
    isOn = !isOn
    show()
  })
  const show = () => {
    button.setAttribute('aria-pressed', String(isOn))
    button.textContent = isOn ? 'Live' : 'Paused'
  }
  show()
  setInterval(async () => {
    if (!isOn || document.hidden) return
    isOn = await refresh().catch(() => true)
    show()
  }, REFRESH_MS)
}

localTimes(document)
copyButtons(document)
liveSwitch()
`
