/** What is passed on of a field, and what was wrong with it. Neither is there where the field was not, or was empty. */
export interface FieldReading<Fault> {
  readonly value?: string
  readonly fault?: Fault
}
