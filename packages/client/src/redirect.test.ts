import { describe, expect, test } from 'vitest'
import { redirectedFields, redirectOf } from './redirect.js'

const from = new URL('https://a.example/orders?x=1#part')
const redirect = (status: number, method: string, location = '/next') => redirectOf(status, location, from, method)

describe('a redirect', () => {
  test.each([
    [301, 'POST', 'GET'], [302, 'POST', 'GET'], [303, 'POST', 'GET'], [303, 'PUT', 'GET'], [303, 'HEAD', 'HEAD'],
    [301, 'PUT', 'PUT'], [302, 'DELETE', 'DELETE'], [307, 'POST', 'POST'], [308, 'POST', 'POST'], [303, 'GET', 'GET'],
  ])('%i turns %s into %s', (status, method, becomes) => {
    expect(redirect(status, method)).toMatchObject({ method: becomes, withoutBody: becomes !== method, crossOrigin: false })
  })

  test('keeps the part of the page that was asked for', () => {
    expect(redirect(307, 'GET')?.url.href).toBe('https://a.example/next#part')
    expect(redirect(307, 'GET', '/next#other')?.url.href).toBe('https://a.example/next#other')
  })

  test.each([[200, '/next'], [304, '/next'], [300, '/next'], [302, null]])('%i to %s is none', (status, location) => {
    expect(redirectOf(status, location, from, 'GET')).toBeUndefined()
  })

  test('to what is not http is an error', () => {
    expect(() => redirect(302, 'GET', 'file:///etc/passwd')).toThrow(TypeError)
    expect(() => redirect(302, 'GET', 'data:text/plain,x')).toThrow(TypeError)
  })

  test('to another scheme, host or port is another origin', () => {
    for (const location of ['http://a.example/', 'https://b.example/', 'https://a.example:444/']) expect(redirect(307, 'GET', location)?.crossOrigin).toBe(true)
  })
})

describe('the fields', () => {
  const fields = new Headers({ 'idempotency-key': 'k', authorization: 'Bearer x', cookie: 'a=1', 'proxy-authorization': 'x', 'x-api-key': 'x', accept: 'text/plain', 'content-type': 'text/plain', 'x-request-id': 'id', traceparent: 't', baggage: 'user=1' })
  const kept = (status: number, method: string, location?: string): string[] => {
    const redirected = redirect(status, method, location)
    if (redirected === undefined) throw new Error('no redirect')
    return [...redirectedFields(fields, redirected, 'idempotency-key', ['x-request-id', 'traceparent', 'tracestate']).keys()]
  }

  test('all stay on the same origin', () => {
    expect(kept(307, 'POST')).toEqual([...fields.keys()])
  })

  test('to another origin go none that say who asks: no key, no secret, nothing unknown', () => {
    expect(kept(307, 'POST', 'https://b.example/')).toEqual(['accept', 'content-type', 'traceparent', 'x-request-id'])
  })

  test('where the body is gone, so are its fields and the key', () => {
    expect(kept(303, 'POST')).toEqual(['accept', 'authorization', 'baggage', 'cookie', 'proxy-authorization', 'traceparent', 'x-api-key', 'x-request-id'])
  })
})
