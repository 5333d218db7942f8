import { createChart } from './chart.js'

const maxPoints = 600
const sides = ['plain', 'hopwise']
const losses = ['failed', 'duplicates']
const numbers = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const byId = (id) => document.getElementById(id)
const steps = [...document.querySelectorAll('[data-act]')]
const actTitles = new Map(steps.map((step) => [step.dataset.act, step.querySelector('h3').textContent]))
const chart = createChart({ failures: byId('failures'), rate: byId('rate'), actTitles })

let points = []
let last
let shownResults = ''

listen()

function listen() {
  const events = new EventSource('/events')
  let opened = false
  events.addEventListener('open', () => {
    opened = true
    showConnection('live', 'live')
  })
  // The browser goes on trying, so that a demo started again on the same port appears here.
  events.addEventListener('error', () => showConnection('ended', opened ? 'the demo has ended' : 'no connection to the demo'))
  events.addEventListener('history', (event) => {
    points = JSON.parse(event.data)
    last = undefined
    chart.show(points)
  })
  events.addEventListener('snapshot', (event) => show(JSON.parse(event.data)))
}

function show(snapshot) {
  setText(byId('proxy'), snapshot.proxy)
  setText(byId('elapsed'), toClock(snapshot.elapsedMs / 1000))
  showAct(snapshot.act)
  for (const side of sides) showSide(byId(side), snapshot.sides[side])
  showResults(snapshot.results)
  showVerdict(snapshot.ok)
  addPoint(snapshot)
}

function showConnection(state, text) {
  byId('connection').dataset.state = state
  setText(byId('connection'), text)
}

function showAct(act) {
  const current = act === 'done' ? steps.length : steps.findIndex((step) => step.dataset.act === act)
  steps.forEach((step, i) => {
    const state = i < current ? 'done' : i === current ? 'now' : 'next'
    setText(step.querySelector('.act-state'), state)
    step.dataset.state = state
    if (state === 'now') step.setAttribute('aria-current', 'step')
    else step.removeAttribute('aria-current')
  })
  const running = `Act ${current + 1} of ${steps.length}: ${actTitles.get(act)}`
  setText(byId('act-now'), act === 'starting' ? 'Starting' : act === 'done' ? 'All three acts are done' : running)
}

function showSide(panel, view) {
  for (const figure of panel.querySelectorAll('[data-figure]')) setText(figure, numbers.format(view[figure.dataset.figure]))
  for (const note of panel.querySelectorAll('[data-loss]')) {
    const bad = view[note.dataset.loss] > 0
    note.parentElement.classList.toggle('bad', bad)
    setText(note, bad ? `✕ ${note.dataset.word}` : '✓ none')
  }
  const list = panel.querySelector('.instances')
  while (list.children.length < view.instances.length) list.append(document.createElement('li'))
  view.instances.forEach((instance, i) => {
    list.children[i].dataset.phase = instance.phase
    setText(list.children[i], `${instance.name} · ${instance.phase} · start ${instance.generation}`)
  })
}

function showVerdict(ok) {
  const verdict = byId('verdict')
  verdict.hidden = ok === undefined
  if (ok === undefined) return
  verdict.dataset.ok = String(ok)
  setText(verdict, ok ? 'Hopwise lost nothing and doubled nothing; plain did.' : 'Not as it should be: see the table.')
}

/** Adds what happened since the snapshot before, by the same rule as the server's history. */
function addPoint(snapshot) {
  const before = last
  if (before !== undefined && (before.act === 'done' || snapshot.elapsedMs <= before.elapsedMs)) return
  last = snapshot
  if (before === undefined) return
  const delta = (side) => ({
    requests: snapshot.sides[side].requests - before.sides[side].requests,
    failed: snapshot.sides[side].failed - before.sides[side].failed,
  })
  points = [...points, { t: snapshot.elapsedMs, act: snapshot.act, plain: delta('plain'), hopwise: delta('hopwise') }].slice(-maxPoints)
  chart.show(points)
}

function showResults(results) {
  const text = JSON.stringify(results)
  if (text === shownResults) return
  shownResults = text
  byId('results').hidden = results.length === 0
  byId('no-results').hidden = results.length > 0
  const columns = [...new Set(results.flatMap((result) => sides.flatMap((side) => Object.keys(result[side]))))]
  const head = element('thead', row(element('td', ''), ...columns.map((column) => header('col', toWords(column)))))
  byId('results').querySelector('table').replaceChildren(head, ...results.map((result) => resultBody(result, columns)))
}

function resultBody(result, columns) {
  const title = header('rowgroup', actTitles.get(result.act) ?? result.act)
  title.colSpan = columns.length + 1
  const rows = sides.map((side) => row(header('row', side), ...columns.map((column) => figureCell(column, result[side][column]))))
  return element('tbody', row(title), ...rows)
}

function figureCell(column, value) {
  const bad = losses.includes(column) && value > 0
  const cell = element('td', value === undefined ? '–' : `${bad ? '✕ ' : ''}${numbers.format(value)}`)
  cell.classList.toggle('bad', bad)
  return cell
}

function row(...cells) {
  return element('tr', ...cells)
}

function header(scope, text) {
  const cell = element('th', text)
  cell.scope = scope
  return cell
}

/** Strings become text nodes, never markup. */
function element(name, ...children) {
  const made = document.createElement(name)
  made.append(...children)
  return made
}

function toWords(key) {
  return key.replace(/[A-Z]+/g, (capitals) => ` ${capitals.toLowerCase()}`)
}

function toClock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
}

function setText(target, text) {
  if (target.textContent !== text) target.textContent = text
}
