import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Events } from './events.js'

interface Told {
  readonly one: { readonly value: number }
  readonly two: string
}

let errors: string[]

beforeEach(() => {
  errors = []
  vi.spyOn(console, 'error').mockImplementation((text: string) => void errors.push(text))
})
afterEach(() => {
  vi.restoreAllMocks()
})

describe('Events', () => {
  test('calls each listener of the name, in order, with one value made once', () => {
    const events = new Events<Told>()
    const seen: unknown[] = []
    events.on('one', (event) => seen.push(['first', event]))
    events.on('one', (event) => seen.push(['second', event]))
    events.on('two', (event) => seen.push(['other', event]))
    const value = { value: 1 }
    const make = vi.fn(() => value)

    expect(events.emit('one', make)).toBe(true)
    expect(seen).toEqual([['first', value], ['second', value]])
    expect(make).toHaveBeenCalledTimes(1)
  })

  test('makes nothing where nobody listens', () => {
    const events = new Events<Told>()
    const make = vi.fn(() => 'never')
    expect(events.emit('two', make)).toBe(false)
    events.on('one', () => {})
    expect(events.emit('two', make)).toBe(false)
    events.on('two', () => {})()
    expect(events.emit('two', make)).toBe(false)
    expect(make).not.toHaveBeenCalled()
  })

  test('a listener that throws stops neither the others nor the caller, and is told', () => {
    const events = new Events<Told>()
    const seen: string[] = []
    events.on('two', () => {
      throw new Error('broken')
    })
    events.on('two', (event) => seen.push(event))
    expect(events.emit('two', () => 'told')).toBe(true)
    expect(seen).toEqual(['told'])
    expect(errors).toEqual(['hopwise: a listener of "two" threw: broken'])
  })

  test('an async listener that rejects is told in the same way', async () => {
    const events = new Events<Told>()
    events.on('two', async (event) => {
      await Promise.resolve()
      throw new Error(`broken ${event}`)
    })
    expect(events.emit('two', () => 'later')).toBe(true)
    expect(errors).toEqual([])
    await vi.waitFor(() => expect(errors).toEqual(['hopwise: a listener of "two" threw: broken later']))
  })

  test('a listener is called until it is ended', () => {
    const events = new Events<Told>()
    const seen: string[] = []
    const end = events.on('two', (event) => seen.push(event))
    events.emit('two', () => 'a')
    end()
    end()
    events.emit('two', () => 'b')
    expect(seen).toEqual(['a'])
  })

  test('one function may listen twice, and each subscription ends by itself', () => {
    const events = new Events<Told>()
    const seen: string[] = []
    const listener = (event: string) => seen.push(event)
    const endFirst = events.on('two', listener)
    events.on('two', listener)
    events.emit('two', () => 'a')
    expect(seen).toEqual(['a', 'a'])
    endFirst()
    endFirst()
    events.emit('two', () => 'b')
    expect(seen).toEqual(['a', 'a', 'b'])
  })

  test('a listener that ends itself and subscribes anew is called once an event', () => {
    const events = new Events<Told>()
    let calls = 0
    let end = (): void => {}
    const again = (): void => {
      end()
      if (++calls < 100) end = events.on('two', again)
    }
    end = events.on('two', again)
    events.emit('two', () => 'a')
    expect(calls).toBe(1)
    events.emit('two', () => 'b')
    expect(calls).toBe(2)
  })
})
