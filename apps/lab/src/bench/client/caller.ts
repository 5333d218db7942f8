import { contestants, type ContestantName } from './contestants.js'
import { answerBody, type FromCaller, type RoundOrder } from './messages.js'

/** One contestant in a process of its own: what Hopwise subscribes to must not slow the bare one down. */
const { name, origin } = JSON.parse(process.argv[2] ?? '{}') as { name: ContestantName; origin: string }
const call = contestants[name](origin)
const tell = (message: FromCaller): void => void process.send?.(message)
process.on('disconnect', () => process.exit(0))

process.on('message', (order: RoundOrder) => {
  measure(order).then(tell, (error: unknown) => tell({ kind: 'failed', message: String(error) }))
})
tell({ kind: 'ready' })

async function measure({ method, concurrency, calls }: RoundOrder): Promise<FromCaller> {
  let left = calls
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const body = await call(method)
      if (body !== answerBody) throw new Error(`${name} got ${JSON.stringify(body.slice(0, 200))}`)
    }
  }
  const [cpu, since] = [process.cpuUsage(), performance.now()]
  await Promise.all(Array.from({ length: concurrency }, lane))
  const wallUs = (performance.now() - since) * 1_000
  const { user, system } = process.cpuUsage(cpu)
  return { kind: 'measured', wallUs, cpuUs: user + system }
}
