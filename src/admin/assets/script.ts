/**
 * The script of the dashboard. All pages work without it. It adds copy buttons, times in the reader's time zone, the
 * refresh of sections marked data-live (every data-every milliseconds of the button), the progress of jobs and uploads, and keyboard shortcuts.
 */
import { KEYBOARD_SCRIPT } from './keyboard-script.ts'

const PAGE_SCRIPT = `'use strict'
const REFRESH_MS = 15000
const PROGRESS_MS = 2000
const TOAST_MS = 4000
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
      field.select?.()
      try {
        await navigator.clipboard.writeText(field.value ?? field.textContent)
        toast(button.getAttribute('aria-label').replace('Copy', 'Copied'))
      } catch {
        toast('The browser did not allow copying. The value is selected.')
      }
    })
  }
}

let toastTimer
function toast(text) {
  const region = document.getElementById('toast')
  if (!region) return
  region.textContent = text
  clearTimeout(toastTimer)
  toastTimer = setTimeout(() => (region.textContent = ''), TOAST_MS)
}

async function refresh(selector) {
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' } })
  if (!answer.ok || answer.redirected) return false
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  for (const section of document.querySelectorAll(selector)) {
    const fresh = page.getElementById(section.id)
    if (!fresh || section.contains(document.activeElement)) continue
    const open = [...section.querySelectorAll('details[open][id]')].map((details) => details.id)
    localTimes(fresh)
    section.replaceChildren(...fresh.childNodes)
    copyButtons(section)
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
    isOn = await refresh('[data-live]').catch(() => true)
    show()
  }, Number(button.dataset.every) || REFRESH_MS)
}

// A section marked data-progress holds a job. When the job ends, the whole page is loaded again.
function jobProgress() {
  if (!document.querySelector('[data-progress] progress')) return
  setTimeout(async () => {
    const isHere = document.hidden || (await refresh('[data-progress]').catch(() => true))
    if (isHere && document.querySelector('[data-progress] progress')) return jobProgress()
    location.replace(location.pathname)
  }, PROGRESS_MS)
}

// A form marked data-upload is sent with the progress of its file. Its answer is a page, or a redirect to one.
function uploads() {
  for (const form of document.querySelectorAll('form[data-upload]')) {
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      const button = event.submitter ?? form.querySelector('button[type=submit]')
      const target = button.hasAttribute('formaction') ? button.formAction : form.action
      const shown = form.querySelector('.uploading')
      const [bar, text] = shown.children
      const request = new XMLHttpRequest()
      const isHeld = (held) => {
        shown.hidden = !held
        for (const one of form.querySelectorAll('button')) one.disabled = held
      }
      request.upload.addEventListener('progress', ({ loaded, total }) => {
        bar.value = loaded / total
        text.textContent = loaded < total ? 'Uploading: ' + Math.floor((100 * loaded) / total) + ' %' : 'Uploaded. The server is reading the file.'
      })
      request.addEventListener('load', () => {
        if (request.responseURL !== target) return location.assign(request.responseURL)
        isHeld(false)
        const result = new DOMParser().parseFromString(request.responseText, 'text/html').getElementById('result')
        if (!result) return toast('The server answered with status ' + request.status + '.')
        document.getElementById('result').replaceChildren(...result.childNodes)
      })
      request.addEventListener('error', () => {
        isHeld(false)
        toast('The connection ended before the file was sent.')
      })
      request.open('POST', target)
      request.send(new FormData(form, button))
      isHeld(true)
    })
  }
}

function start() {
  localTimes(document)
  copyButtons(document)
  liveSwitch()
  jobProgress()
  uploads()
}
start()
`

export const SCRIPT = PAGE_SCRIPT + KEYBOARD_SCRIPT
