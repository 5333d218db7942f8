import uPlot from '/uplot.js'

const axisWidth = 56
const shortestSpanSeconds = 30
const wholeSteps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]

/**
 * Draws failures per interval as bars, and requests per second as step lines below, on the same time axis.
 * Colours are read from the style sheet at each drawing, so that a change of scheme needs only a redraw.
 * @param {{ failures: HTMLElement, rate: HTMLElement, actTitles: ReadonlyMap<string, string> }} options
 */
export function createChart({ failures, rate, actTitles }) {
  let points = []
  const bars = (align) => uPlot.paths.bars({ size: [0.45, 14, 3], align })
  const steps = uPlot.paths.stepped({ align: -1 })
  const plots = [
    plot(failures, 190, {
      axes: [timeAxis({ show: false }), countAxis('failures', wholeSteps)],
      scales: { y: { range: (_, __, max) => [0, Math.max(5, Math.ceil(max * 1.15))] } },
      series: [{}, barSeries('--plain', bars(-1)), barSeries('--hopwise', bars(1))],
      hooks: { drawAxes: [(u) => drawActs(u, points, actTitles, true)] },
    }),
    plot(rate, 180, {
      axes: [timeAxis({ label: 'time since the start (min:s)' }), countAxis('requests/s')],
      scales: { y: { range: (_, __, max) => [0, Math.max(10, max * 1.15)] } },
      series: [{}, lineSeries('--plain', steps, [5, 4]), lineSeries('--hopwise', steps)],
      hooks: { drawAxes: [(u) => drawActs(u, points, actTitles, false)] },
    }),
  ]
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const each of plots) each.redraw()
  })
  return {
    /** Shows these points: `{ t, act, plain: { requests, failed }, hopwise: { … } }`, oldest first. */
    show(newPoints) {
      points = newPoints
      const seconds = points.map((point) => point.t / 1000)
      plots[0].setData([seconds, points.map((point) => point.plain.failed), points.map((point) => point.hopwise.failed)])
      plots[1].setData([seconds, perSecond(points, 'plain'), perSecond(points, 'hopwise')])
    },
  }
}

/** The first interval's length is not known, and in the last one the load has ended: no rate for either. */
function perSecond(points, side) {
  return points.map((point, i) => {
    if (i === 0 || point.act === 'done') return null
    return (point[side].requests * 1000) / (point.t - points[i - 1].t)
  })
}

function plot(target, height, { scales, ...options }) {
  const made = new uPlot(
    {
      width: Math.max(target.clientWidth, 100),
      height,
      padding: [18, 8, 8, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range: timeRange }, ...scales },
      ...options,
    },
    [[], [], []],
    target,
  )
  new ResizeObserver(() => made.setSize({ width: Math.max(target.clientWidth, 100), height })).observe(target)
  return made
}

function timeRange(_, first, last) {
  const from = first ?? 0
  return [from, Math.max(last ?? 0, from + shortestSpanSeconds)]
}

function barSeries(variable, paths) {
  return { paths, fill: () => colour(variable), width: 0, points: { show: false } }
}

function lineSeries(variable, paths, dash = []) {
  return { paths, dash, stroke: () => colour(variable), width: 1.75, points: { show: false } }
}

function timeAxis(options) {
  return { ...axis(), size: 32, space: 64, values: (_, ticks) => ticks.map(toClock), ...options }
}

function countAxis(label, incrs) {
  return { ...axis(), size: axisWidth - 20, label, space: 36, ...(incrs && { incrs }) }
}

function axis() {
  return {
    stroke: () => colour('--muted'),
    font: '12px system-ui, sans-serif',
    labelFont: '12px system-ui, sans-serif',
    labelSize: 20,
    grid: { stroke: () => colour('--grid'), width: 1 },
    ticks: { show: false },
  }
}

function toClock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
}

/** Marks where each act begins and, if `named`, says which where there is room until the next one. */
function drawActs(u, points, titles, named) {
  const { ctx, bbox } = u
  const px = uPlot.pxRatio
  const starts = points.flatMap((point, i) => {
    if (point.act === points[i - 1]?.act) return []
    // A point stands at the end of its interval; the act begins where the point before stands.
    return [{ title: titles.get(point.act), x: Math.round(u.valToPos((points[i - 1] ?? point).t / 1000, 'x', true)) }]
  })
  ctx.save()
  ctx.font = `${12 * px}px system-ui, sans-serif`
  ctx.textAlign = 'left'
  ctx.textBaseline = 'alphabetic'
  ctx.fillStyle = colour('--muted')
  ctx.strokeStyle = colour('--line')
  ctx.lineWidth = px
  starts.forEach(({ title, x }, i) => {
    if (title === undefined) return
    const end = starts[i + 1]?.x ?? bbox.left + bbox.width
    ctx.beginPath()
    ctx.moveTo(x, bbox.top - (named ? 14 * px : 0))
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    if (named && ctx.measureText(title).width + 6 * px < end - x) ctx.fillText(title, x + 5 * px, bbox.top - 5 * px)
  })
  ctx.restore()
}

function colour(variable) {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim()
}
