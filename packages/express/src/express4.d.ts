/** Express 4 under an alias, for the tests; the types of Express 5 are near enough for what they use. */
declare module 'express4' {
  export { default } from 'express'
}
